import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionContext } from "ava";
import { endWithParent } from "../end-with-parent.ts";
import { freePort } from "../free-port.ts";
import { createAuthority, temporaryFolder } from "../tls/certificates.ts";
import { root } from "../docs.ts";

/** nginx with the configuration of deploy/nginx/greeter.conf. */
export interface Nginx {
  /** Port of both protocols with TLS. */
  port: number;
  /** Port without TLS. */
  plainPort: number;
  /** Path of the authority of its certificate, which is for localhost. */
  ca: string;
  /** Reloads its configuration. Resolves when the old worker processes shut down. */
  reload(): Promise<void>;
  /** Returns its error log. */
  errors(): string;
}

/**
 * Starts nginx with the configuration that the project ships, except the user's own values: addresses, host name and certificate.
 * @param backends addresses of the two greeters, `host:port` each
 */
export async function startNginx(
  t: Pick<ExecutionContext, "teardown">,
  backends: { http: string; grpc: string }[],
): Promise<Nginx> {
  const folder = temporaryFolder(t);
  const authority = createAuthority(t);
  const { cert, key } = authority.issue({ name: "localhost" });
  const [port, plainPort] = [await freePort(), await freePort()];
  const own = {
    "listen [::]:443 ssl http2;": "",
    "listen [::]:80;": "",
    "listen 443": `listen 127.0.0.1:${port}`,
    "listen 80": `listen 127.0.0.1:${plainPort}`,
    "/etc/ssl/greeter/tls.crt": cert,
    "/etc/ssl/greeter/tls.key": key,
    "greeter.example.com": "localhost",
    "127.0.0.1:8081": backends[0]!.http,
    "127.0.0.1:8082": backends[1]!.http,
    "127.0.0.1:50061": backends[0]!.grpc,
    "127.0.0.1:50062": backends[1]!.grpc,
  };
  let shipped = readFileSync(join(root, "deploy/nginx/greeter.conf"), "utf8");
  for (const [text, replacement] of Object.entries(own)) {
    if (!shipped.includes(text)) throw new Error(`deploy/nginx/greeter.conf has no ${text}`);
    shipped = shipped.replaceAll(text, replacement);
  }
  writeFileSync(join(folder, "greeter.conf"), shipped);
  const errorLog = join(folder, "error.log");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  mkdirSync(join(folder, "logs"));
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; pid ${folder}/pid; worker_processes 1; error_log ${errorLog} info;
     events { worker_connections 512; }
     http { access_log off; ${temporary.join(" ")} include ${folder}/greeter.conf; }`,
  );

  const start = () =>
    spawn("nginx", ["-c", join(folder, "nginx.conf"), "-p", folder, "-e", errorLog], { stdio: "inherit" });
  const child = endWithParent(start, "TERM");
  const failed = new Promise<never>((_, reject) => {
    child.on("error", (cause) =>
      reject(new Error("test:proxy needs nginx (on Debian: apt-get install nginx-light)", { cause })),
    );
    child.on("exit", (code) => reject(new Error(`nginx ended with ${code}: ${readFileSync(errorLog, "utf8")}`)));
  });
  failed.catch(() => {});
  t.teardown(async () => {
    child.kill("SIGTERM");
    if (child.exitCode === null) await once(child, "exit");
  });
  await Promise.race([accepting(port), failed]);

  const errors = (): string => readFileSync(errorLog, "utf8");
  return {
    port,
    plainPort,
    ca: authority.ca,
    errors,
    reload: async () => {
      const shutdowns = (): number => errors().split("gracefully shutting down").length;
      const before = shutdowns();
      child.kill("SIGHUP");
      while (shutdowns() === before) await sleep(10);
    },
  };
}

/** Resolves when a port accepts connections. */
async function accepting(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const connected = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (connected) return;
    await sleep(20);
  }
}
