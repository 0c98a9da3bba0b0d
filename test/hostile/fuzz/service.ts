import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { endWithParent } from "../../end-with-parent.ts";
import { checkout } from "../../process.ts";
import { send } from "../../platform/http/request.ts";
import type { Authority } from "../../tls/certificates.ts";

/** Drain timeout of the service, in milliseconds. */
export const DRAIN_TIMEOUT_MS = 5000;

const flags = [
  ...["--addr", "--grpc-addr", "--admin-addr"].flatMap((flag) => [flag, "127.0.0.1:0"]),
  ..."--drain-delay 0s --drain-timeout".split(" "),
  `${DRAIN_TIMEOUT_MS}ms`,
  // Level debug, because its lines contain input of the peer.
  ..."--log-level debug".split(" "),
  // Shorter than the defaults, so that abandoned connections close within the test.
  ..."--handshake-timeout 2s --http-headers-timeout 2s".split(" "),
  // The tests of rollouts cover the age of connections.
  ..."--grpc-max-connection-age 0s".split(" "),
];

/** A line of the log, with the fields that are read here. */
export interface Line {
  level: string;
  msg: string;
  protocol?: string;
  address?: string;
  method?: string;
  status?: string;
  peer?: string;
  [field: string]: unknown;
}

/** The service, in its own process. */
export interface Service {
  name: string;
  ports: Record<"http" | "grpc", number>;
  /** Certificate authority of a service with TLS. */
  ca: Buffer | undefined;
  /** Reports whether the process has ended. */
  hasEnded: () => boolean;
  /** Resolves with every sample of its metrics by name and labels; none if the process has ended. */
  metrics(): Promise<Map<string, number>>;
  /** Sends SIGTERM. Resolves with the exit code, or with the signal that ended the process. */
  stop(): Promise<{ how: string; milliseconds: number }>;
  kill: () => void;
}

/**
 * Starts the service.
 * @param options.program program to start instead of the checkout
 * @param options.authority issues its certificate; undefined for plaintext
 * @param options.onLine called with every line of its log; a line that is not JSON becomes an error
 * @param options.onProblem called if the process writes to stderr, or ends before it is stopped
 */
export async function startService(options: {
  program: string | undefined;
  authority?: Authority;
  onLine: (line: Line) => void;
  onProblem: (what: string) => void;
}): Promise<Service> {
  const { program, authority, onLine, onProblem } = options;
  const certificate = authority?.issue();
  const tls = certificate ? ["--tls-cert", certificate.cert, "--tls-key", certificate.key] : [];
  const args = [...(program === undefined ? checkout : [program]), "serve", ...flags, ...tls];
  // Only the settings above count, not those of the caller's shell.
  const env = Object.entries(process.env).filter(([name]) => !/^(GREETER_|OTEL_|NODE_OPTIONS)/.test(name));
  const child = endWithParent(() =>
    spawn(process.execPath, args, { env: Object.fromEntries(env), stdio: ["ignore", "pipe", "pipe"] }),
  );
  child.stderr.on("data", (chunk: Buffer) => onProblem(`wrote to stderr: ${chunk.toString().trim()}`));
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  let [stopping, ended] = [false, false];
  child.once("exit", (code, signal) => {
    ended = true;
    process.off("exit", kill);
    if (!stopping) onProblem(`ended with ${signal ?? code}`);
  });
  const closed = new Promise<string>((resolve) => {
    child.once("close", (code, signal) => resolve(String(signal ?? code)));
  });

  const addresses: Record<string, string> = {};
  const serving = Promise.withResolvers<void>();
  createInterface(child.stdout).on("line", (written) => {
    const line = parse(written);
    if (line.msg === "Listening") addresses[line.protocol!] = line.address!;
    if (line.msg === "Serving") serving.resolve();
    onLine(line);
  });
  await Promise.race([serving.promise, closed]);
  if (ended) throw new Error("Cannot start the service: it ended before it served");

  const port = (protocol: string): number => Number(new URL(`http://${addresses[protocol]}`).port);
  return {
    name: authority ? "TLS" : "plaintext",
    ports: { http: port("http"), grpc: port("grpc") },
    ca: authority && readFileSync(authority.ca),
    hasEnded: () => ended,
    metrics: async () => {
      try {
        return samples((await send(`http://${addresses["admin"]}`, "/metrics")).body);
      } catch (error) {
        // The end of the process is a finding of its own.
        await Promise.race([closed, sleep(1000)]);
        if (ended) return new Map();
        throw error;
      }
    },
    stop: async () => {
      const start = performance.now();
      stopping = true;
      child.kill("SIGTERM");
      return { how: await closed, milliseconds: Math.round(performance.now() - start) };
    },
    kill,
  };
}

function parse(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return { level: "error", msg: `A line of the log is not JSON: ${line}` };
  }
}

function samples(exposition: string): Map<string, number> {
  const lines = exposition.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}
