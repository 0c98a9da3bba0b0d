import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { endWithParent } from "../test/end-with-parent.ts";
import { freePort } from "../test/free-port.ts";
import { cpuTime } from "./cpu-time.ts";

export interface Ports {
  http: number;
  grpc: number;
  admin: number;
}

/** A measured process on core 0. */
export interface Running {
  ports: Ports;
  /** Returns the CPU time of all its threads, in microseconds. */
  cpu: () => number;
  /** Returns its resident memory, in bytes. */
  memory: () => number;
  stop: () => Promise<void>;
}

/**
 * Starts a process, without waiting until it serves. Its log is discarded: a reader would take CPU from the load, and a lower load raises
 * the cost of each response.
 */
export function run(command: string[], ports: Ports, cores = "0"): Running {
  const child = endWithParent(() =>
    spawn("taskset", ["--cpu-list", cores, ...command], { stdio: ["ignore", "ignore", "inherit"] }),
  );
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    ports,
    cpu: () => cpuTime(child.pid!),
    memory: () => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]),
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Finds three free ports. Concurrently, because the system may return the same port twice in sequence. */
export async function freePorts(): Promise<Ports> {
  const [http, grpc, admin] = await Promise.all([freePort(), freePort(), freePort()]);
  return { http, grpc, admin };
}
