import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

export interface Ports {
  http: number;
  grpc: number;
  admin: number;
}

/** A process on core 0 that is measured. */
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
export function run(command: string[], ports: Ports): Running {
  const child = spawn("taskset", ["--cpu-list", "0", ...command], { stdio: ["ignore", "ignore", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const threads = `/proc/${child.pid}/task`;
  // Nanoseconds on a core come first (https://docs.kernel.org/scheduler/sched-stats.html).
  const spent = (thread: string): number =>
    Number(readFileSync(`${threads}/${thread}/schedstat`, "utf8").split(" ")[0]);
  return {
    ports,
    cpu: () => readdirSync(threads).reduce((sum, thread) => sum + spent(thread), 0) / 1000,
    memory: () => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]),
    stop: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Three ports that nobody listens on. */
export async function freePorts(): Promise<Ports> {
  const servers = await Promise.all(
    [0, 1, 2].map(async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const [http, grpc, admin] = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { http: http!, grpc: grpc!, admin: admin! };
}
