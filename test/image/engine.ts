import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { ExecutionContext } from "ava";
import { startProcess } from "../process.ts";
import type { LoggingProcess } from "../process.ts";

const built = `${import.meta.dirname}/.built`;
const sudo = process.getuid?.() === 0 ? [] : ["sudo"];
const storage = ["--root", `${built}/storage`, "--runroot", `${built}/run`, "--storage-driver", "vfs"];
const podmanCommand = [...sudo, "podman", ...storage, "--runtime", "runc", "--cgroup-manager", "cgroupfs"];
const [program, ...before] = podmanCommand as [string, ...string[]];

/** Result of a command. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs podman on the images of `test/image/build`. */
export async function podman(...args: string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await promisify(execFile)(program, [...before, ...args])) };
  } catch (error) {
    return error as Ended;
  }
}

/** The host's network, so that servers can use any free port, and limits that every machine allows. */
const run = ["run", "--network", "host", "--ulimit", "nofile=1024:20000", "--ulimit", "nproc=1024:1024"];

/** The strictest restrictions of a cluster: read-only, without capabilities, with little memory and CPU. */
export const confined = (
  "--read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges " +
  "--memory 128m --memory-swap 128m --cpus 0.5"
).split(" ");

/** Runs a command of the image, and resolves when it ends. */
export function runImage(options: string[], ...args: string[]): Promise<Ended> {
  return podman(...run, "--rm", ...options, "localhost/greeter:first", ...args);
}

export interface Container extends LoggingProcess {
  name: string;
}

let count = 0;

/** Starts the service in a container, on free ports. */
export function serveContainer(
  t: Pick<ExecutionContext, "teardown">,
  options: string[],
  { ports = ["--addr", "--grpc-addr", "--admin-addr"], flags = [] }: { ports?: string[]; flags?: string[] } = {},
): Container {
  const name = `greeter-${process.pid}-${++count}`;
  const command = ["serve", ...ports.flatMap((flag) => [flag, "127.0.0.1:0"]), ...flags];
  const args = [...run, "--name", name, ...options, "localhost/greeter:first", ...command];
  const container = startProcess(t, [...before, ...args], { command: program });
  t.teardown(() => podman("rm", "--force", name));
  return { name, ...container };
}

/** Reads the kernel's status of a container's first process, and its memory limit in bytes. */
export async function kernelStatus({
  name,
}: Container): Promise<{ pid: string; status: Record<string, string>; memoryLimit: number }> {
  const pid = (await podman("inspect", "--format", "{{.State.Pid}}", name)).stdout.trim();
  const lines = (await readFile(`/proc/${pid}/status`, "utf8")).trim().split("\n");
  const groups = await readFile(`/proc/${pid}/cgroup`, "utf8");
  // Version 1 or 2 of control groups: https://docs.kernel.org/admin-guide/cgroup-v2.html
  const [, v1] = /^\d+:memory:(.*)$/m.exec(groups) ?? [];
  const [, v2] = /^0::(.*)$/m.exec(groups) ?? [];
  const limit = v1 === undefined ? `${v2}/memory.max` : `/memory${v1}/memory.limit_in_bytes`;
  return {
    pid,
    status: Object.fromEntries(lines.map((line) => line.split(/:\s+/) as [string, string])),
    memoryLimit: Number(await readFile(`/sys/fs/cgroup${limit}`, "utf8")),
  };
}
