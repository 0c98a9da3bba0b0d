import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { freePort } from "../test/free-port.ts";
import { cpuTime } from "./cpu-time.ts";

export interface Ports {
  http: number;
  grpc: number;
  admin: number;
}

/** A process that is measured. */
export interface Running {
  ports: Ports;
  /** CPU time that all its threads have spent so far, in microseconds. */
  cpu: () => number;
  /** Resident memory, in bytes. */
  memory: () => number;
  stop: () => Promise<void>;
}

/**
 * Starts it; whether it serves already is for the caller to ask. What it logs goes to nowhere: whoever read it would take the core from the
 * load, which would then ask for less at a time, and that makes each answer dearer.
 */
export function run(command: string[], ports: Ports, cores = "0"): Running {
  const child = spawn("taskset", ["--cpu-list", cores, ...command], { stdio: ["ignore", "ignore", "inherit"] });
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

/** Three ports that nobody listens on. They are looked for at the same time, for one after another might be the same. */
export async function freePorts(): Promise<Ports> {
  const [http, grpc, admin] = await Promise.all([freePort(), freePort(), freePort()]);
  return { http, grpc, admin };
}
