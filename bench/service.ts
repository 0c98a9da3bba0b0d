import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { endWithParent } from "../test/end-with-parent.ts";
import { cpuTime } from "./cpu-time.ts";

/** A measured process. */
export interface Service {
  name: string;
  http: string;
  grpc: string;
  /** Returns the CPU time of all its threads, in microseconds. */
  cpu: () => number;
  stop: () => void;
}

const program = join(import.meta.dirname, "../src/main.ts");
const ports = ["--addr", "--grpc-addr", "--admin-addr"].flatMap((flag) => [flag, "127.0.0.1:0"]);

/**
 * Starts the service on one core. Its log is read, as a container runtime does, and discarded.
 * @param options.preload modules that Node loads before the service
 */
export async function startService(
  name: string,
  core: number,
  { flags = [], preload = [] }: { flags?: string[]; preload?: string[] } = {},
): Promise<Service> {
  const node = [process.execPath, ...preload.flatMap((file) => ["--import", join(import.meta.dirname, file)])];
  const start = () =>
    spawn("taskset", ["--cpu-list", String(core), ...node, program, "serve", ...ports, ...flags], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  const child = endWithParent(start);
  const addresses = new Map<string, string>();
  const { promise: serving, resolve, reject } = Promise.withResolvers<void>();
  child.once("exit", (code) => reject(new Error(`The service ended with exit code ${code}`)));
  const lines = createInterface(child.stdout);
  lines.on("line", (line) => {
    const { msg, protocol, address } = JSON.parse(line) as Record<string, string>;
    if (msg === "Listening") addresses.set(protocol!, address!);
    if (msg === "Serving") resolve();
  });
  await serving;
  lines.close();
  child.stdout.resume();

  return {
    name,
    http: addresses.get("http")!,
    grpc: addresses.get("grpc")!,
    cpu: () => cpuTime(child.pid!),
    stop: () => child.kill("SIGKILL"),
  };
}
