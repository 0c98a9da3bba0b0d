import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A process that is measured. */
export interface Service {
  name: string;
  http: string;
  grpc: string;
  /** How much CPU time all its threads have spent so far, in microseconds. */
  cpu: () => number;
  stop: () => void;
}

/** Starts bench/server.ts on one core. What it logs is read, as a container's runtime does, and thrown away. */
export async function startService(name: string, variant: string, core: number): Promise<Service> {
  const program = join(import.meta.dirname, "server.ts");
  const child = spawn("taskset", ["--cpu-list", String(core), process.execPath, program, variant], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  child.stdout!.resume();
  const [addresses] = (await once(child, "message")) as [{ http: string; grpc: string }];
  const threads = `/proc/${child.pid}/task`;
  // The first number of schedstat (https://docs.kernel.org/scheduler/sched-stats.html): nanoseconds on a core, so that one need not
  // wait for many ticks of the clock.
  const spent = (thread: string): number =>
    Number(readFileSync(`${threads}/${thread}/schedstat`, "utf8").split(" ")[0]);
  return {
    name,
    ...addresses,
    cpu: () => readdirSync(threads).reduce((sum, thread) => sum + spent(thread), 0) / 1000,
    stop: () => child.kill("SIGKILL"),
  };
}
