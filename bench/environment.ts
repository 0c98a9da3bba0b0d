// What a result depends on besides the subjects, and is stored with it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/** As this process sees it: to be called before it is kept to one core. Memory is in bytes. */
export function machine(): object {
  return { cpu: cpus()[0]?.model, cores: availableParallelism(), memory: totalmem(), kernel: release() };
}

/** What is checked out, and whether anything but results was changed or added since. */
export function revision(): { commit: string; modified: boolean } {
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const changes = git("status", "--porcelain", "--", ".", ":!bench/results");
  return { commit: git("rev-parse", "--short", "HEAD"), modified: changes !== "" };
}

export function versions(): object {
  const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8"));
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const all = { ...own.devDependencies, ...own.dependencies, ...dependencies };
  const peers = ["koa", "@koa/router", "@connectrpc/connect-node", ...Object.keys(dependencies)];
  const go = execFileSync("go", ["version"], { encoding: "utf8" }).trim();
  return { node: process.version, go, ...Object.fromEntries(peers.map((peer) => [peer, all[peer]])) };
}
