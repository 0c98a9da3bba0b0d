// Environment of a measurement, which is stored with its result.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/** Describes the machine, with memory in bytes. Call it before the process is pinned to one core. */
export function machine(): object {
  return { cpu: cpus()[0]?.model, cores: availableParallelism(), memory: totalmem(), kernel: release() };
}

/** Returns the commit, and whether anything except results differs from it. */
export function revision(): { commit: string; modified: boolean } {
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const changes = git("status", "--porcelain", "--", ".", ":!bench/results");
  return { commit: git("rev-parse", "--short", "HEAD"), modified: changes !== "" };
}

/** Returns the versions of Node, Go and the peers. */
export function versions(): object {
  const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8"));
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const all = { ...own.devDependencies, ...own.dependencies, ...dependencies };
  const peers = ["koa", "@koa/router", "@connectrpc/connect-node", ...Object.keys(dependencies)];
  const go = execFileSync("go", ["version"], { encoding: "utf8" }).trim();
  return { node: process.version, go, ...Object.fromEntries(peers.map((peer) => [peer, all[peer]])) };
}
