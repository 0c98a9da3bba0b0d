import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { checkout } from "../../process.ts";
import { send } from "../../platform/http/request.ts";
import type { Authority } from "../../tls/certificates.ts";

/** How long the service may take for its drain, in milliseconds. */
export const DRAIN_TIMEOUT = 5000;

const flags = [
  ...["--addr", "--grpc-addr", "--admin-addr"].flatMap((flag) => [flag, "127.0.0.1:0"]),
  ..."--drain-delay 0s --drain-timeout".split(" "),
  `${DRAIN_TIMEOUT}ms`,
  // Everything that it has to say: what a peer sends ends up in there, too.
  ..."--log-level debug".split(" "),
  // Sooner than the defaults, so that what is abandoned shows.
  ..."--handshake-timeout 2s --http-headers-timeout 2s".split(" "),
  // Clients that are sent away are for the tests of rollouts.
  ..."--grpc-max-connection-age 0s".split(" "),
];

/** A line of the log that matters here. */
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

/** The real service, in a process of its own. */
export interface Service {
  name: string;
  ports: Record<"http" | "grpc", number>;
  /** Whom to trust, where it speaks TLS. */
  ca: Buffer | undefined;
  /** Whether its process has ended. */
  hasEnded: () => boolean;
  /** Every sample of its metrics, by name and labels; none when it has ended. */
  metrics(): Promise<Map<string, number>>;
  /** Tells it to stop, and resolves when it has: with its exit code, or the signal that ended it. */
  stop(): Promise<{ how: string; milliseconds: number }>;
  kill: () => void;
}

/**
 * Starts it.
 * @param options.program another program that is started as `greeter serve` is
 * @param options.authority signs its certificate; without one it speaks plain text
 * @param options.onLine hears of every line of its log; what is no JSON is an error
 * @param options.onTrouble hears when it writes to stderr, and when it ends without being told to
 */
export async function startService(options: {
  program: string | undefined;
  authority?: Authority;
  onLine: (line: Line) => void;
  onTrouble: (what: string) => void;
}): Promise<Service> {
  const { program, authority, onLine, onTrouble } = options;
  const certificate = authority?.issue();
  const tls = certificate ? ["--tls-cert", certificate.cert, "--tls-key", certificate.key] : [];
  const args = [...(program === undefined ? checkout : [program]), "serve", ...flags, ...tls];
  // The settings are those above, whatever the shell that fuzzes has.
  const env = Object.entries(process.env).filter(([name]) => !/^(GREETER_|OTEL_|NODE_OPTIONS)/.test(name));
  const child = spawn(process.execPath, args, { env: Object.fromEntries(env), stdio: ["ignore", "pipe", "pipe"] });
  child.stderr.on("data", (chunk: Buffer) => onTrouble(`wrote to stderr: ${chunk.toString().trim()}`));
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  let [stopping, ended] = [false, false];
  child.once("exit", (code, signal) => {
    ended = true;
    process.off("exit", kill);
    if (!stopping) onTrouble(`ended with ${signal ?? code}`);
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
  if (ended) throw new Error("The service ended before it served");

  const port = (protocol: string): number => Number(new URL(`http://${addresses[protocol]}`).port);
  return {
    name: authority ? "TLS" : "plain text",
    ports: { http: port("http"), grpc: port("grpc") },
    ca: authority && readFileSync(authority.ca),
    hasEnded: () => ended,
    metrics: async () => {
      try {
        return samples((await send(`http://${addresses["admin"]}`, "/metrics")).body);
      } catch (error) {
        // One that has ended tells no more, and is told of elsewhere.
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
    return { level: "error", msg: `A line of the log is no JSON: ${line}` };
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
