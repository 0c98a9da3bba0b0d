import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { Agent, get } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import test from "ava";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { createContext } from "../../src/platform/context.ts";
import { send } from "../platform/http/request.ts";
import { asks, contents } from "./ask.ts";
import { createAuthority, temporaryFolder } from "./certificates.ts";
import { mountSecret, secret } from "./secret.ts";
import { serveTls } from "./serve.ts";

async function serialNumber(port: number, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket: TLSSocket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: readFileSync(ca) }, () =>
    resolve(socket.getPeerCertificate().serialNumber),
  );
  socket.on("error", reject);
  return await promise.finally(() => socket.destroy());
}

/** Replaces a file by an empty named pipe. Resolves when the service opens the pipe, so that its earlier readings have ended. */
async function untilRead(file: string): Promise<void> {
  const pipe = `${file}.pipe`;
  execFileSync("mkfifo", [pipe]);
  renameSync(pipe, file);
  await writeFile(file, "");
}

test("a renewal of the certificate under load loses no request and no connection", async (t) => {
  const authority = createAuthority(t);
  const mount = mountSecret(t, secret(authority.issue()));
  const service = await serveTls(t, { cert: mount.path("tls.crt"), key: mount.path("tls.key") });
  const { http, grpc } = service.ports;
  const before = [await serialNumber(http, authority.ca), await serialNumber(grpc, authority.ca)];

  // On kept connections, and on new ones.
  const identity = { ca: authority.ca };
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...contents(identity), servername: "localhost" });
  let connections = 0;
  agent.on("free", (socket: TLSSocket & { counted?: boolean }) => {
    if (!socket.counted) connections++;
    socket.counted = true;
  });
  const kept = createGreeterClient({
    target: `127.0.0.1:${grpc}`,
    tls: { ...contents(identity), serverName: "localhost" },
  });
  t.teardown(() => {
    agent.destroy();
    kept.close();
  });
  const enough = new AbortController();
  const load = async (ask: () => Promise<string>): Promise<number> => {
    let asked = 0;
    while (!enough.signal.aborted) {
      t.is(await ask(), "Hello, Bob!");
      asked++;
    }
    return asked;
  };
  const getKept = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: http, path: "/Bob", agent, headers: { Accept: "text/plain" } };
      get(options, (response) => void text(response).then((body) => resolve(body.trimEnd()), reject)).on(
        "error",
        reject,
      );
    });
  const loads = [
    load(getKept),
    load(() => kept.greet("Bob", createContext({ deadline: Date.now() + 10_000 }))),
    load(() => asks.http(http, identity)),
    load(() => asks.grpc(grpc, identity)),
  ];
  mount.swap(secret(authority.issue()));
  await service.logged(({ msg }) => msg === "Certificate renewed");
  t.not(await serialNumber(http, authority.ca), before[0]);
  t.not(await serialNumber(grpc, authority.ca), before[1]);
  enough.abort();
  for (const asked of await Promise.all(loads)) t.true(asked > 0);
  // --http-max-requests-per-connection may have replaced the connection; the renewal has not.
  t.true(connections <= 1 + Math.ceil((await loads[0]!) / 1000));
  t.regex((await send(service.admin, "/metrics")).body, /^greeter_tls_reloads_total\{result="success"\} 1$/m);
});

test("an invalid pair is logged and counted once, and the last valid pair stays in use until the next valid one", async (t) => {
  const authority = createAuthority(t);
  const good = authority.issue();
  const mount = mountSecret(t, secret(good));
  const service = await serveTls(t, { cert: mount.path("tls.crt"), key: mount.path("tls.key") });
  const before = await serialNumber(service.ports.http, authority.ca);

  mount.swap(secret({ cert: authority.issue().cert, key: good.key }));
  const line = await service.logged(({ level, msg }) => level === "warn" && msg.startsWith("Certificate not renewed"));
  t.regex(JSON.stringify(line), /expected the private key of --tls-cert/);
  t.is(await serialNumber(service.ports.http, authority.ca), before);
  t.is(await asks.grpc(service.ports.grpc, { ca: authority.ca }), "Hello, Bob!");
  t.regex((await send(service.admin, "/metrics")).body, /^greeter_tls_reloads_total\{result="failure"\} 1$/m);

  const second = authority.issue();
  mount.swap(secret(second));
  await service.logged(({ msg }) => msg === "Certificate renewed");
  t.not(await serialNumber(service.ports.http, authority.ca), before);

  mount.swap(secret({ cert: authority.issue().cert, key: second.key }));
  let failures = 0;
  await service.logged(({ msg }) => msg.startsWith("Certificate not renewed") && ++failures === 2);
  t.regex((await send(service.admin, "/metrics")).body, /^greeter_tls_reloads_total\{result="failure"\} 2$/m);

  // A file that cannot be read is logged once, although the service reads it every second.
  rmSync(mount.path("tls.key"));
  await service.logged(({ msg, ...line }) => msg.startsWith("Certificate not") && /ENOENT/.test(JSON.stringify(line)));
  for (let reading = 0; reading < 3; reading++) await untilRead(mount.path("tls.crt"));
  t.regex((await send(service.admin, "/metrics")).body, /^greeter_tls_reloads_total\{result="failure"\} 3$/m);
});

test("a metric exposes the remaining validity of the certificate", async (t) => {
  const { admin } = await serveTls(t, createAuthority(t).issue({ days: 3 }));
  const [, seconds] = /^greeter_tls_certificate_expiry_seconds (\S+)$/m.exec((await send(admin, "/metrics")).body)!;
  t.true(Math.abs(Number(seconds) - 3 * 86_400) < 120, seconds);
});

test("files are read again after an invalid certificate", async (t) => {
  const authority = createAuthority(t);
  const folder = temporaryFolder(t);
  const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const first = authority.issue();
  copyFileSync(first.cert, cert);
  copyFileSync(first.key, key);
  const service = await serveTls(t, { cert, key });
  writeFileSync(cert, "");
  await service.logged(({ level }) => level === "warn");
  const second = authority.issue();
  copyFileSync(second.cert, cert);
  copyFileSync(second.key, key);
  await service.logged(({ msg }) => msg === "Certificate renewed");
  t.is(await asks.http(service.ports.http, { ca: authority.ca }), "Hello, Bob!");
});
