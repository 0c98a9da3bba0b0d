import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import type { ExecutionContext } from "ava";
import { root } from "./docs.ts";

const execute = promisify(execFile);
const script = "deploy/image/build-args";

/** Creates a git repository with the script and a package.json. */
async function checkout(t: ExecutionContext): Promise<{ folder: string; git: (...args: string[]) => Promise<string> }> {
  const folder = await mkdtemp(join(tmpdir(), "greeter-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "deploy/image"), { recursive: true });
  await copyFile(join(root, script), join(folder, script));
  await writeFile(join(folder, "package.json"), '{\n  "name": "greeter",\n  "version": "1.2.3",\n}\n');
  const who = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
  const git = async (...args: string[]): Promise<string> =>
    (await execute("git", [...who, ...args], { cwd: folder })).stdout.trim();
  await git("init", "--quiet");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "First", "--date", "2026-01-02T03:04:05Z");
  return { folder, git };
}

async function buildArgs(folder: string): Promise<Record<string, string>> {
  const { stdout } = await execute(join(folder, script));
  const lines = stdout.trimEnd().split("\n");
  return Object.fromEntries(lines.map((line) => /^--build-arg=(\w+)=(\S*)$/.exec(line)!.slice(1) as [string, string]));
}

test("the arguments describe the checkout", async (t) => {
  const { folder, git } = await checkout(t);
  const epoch = await git("log", "-1", "--format=%ct");
  t.deepEqual(await buildArgs(folder), {
    VCS_REVISION: await git("rev-parse", "HEAD"),
    VCS_TIME: new Date(Number(epoch) * 1000).toISOString().replace(".000", ""),
    VCS_MODIFIED: "false",
    VCS_SOURCE: "",
    VERSION: "1.2.3",
    SOURCE_DATE_EPOCH: epoch,
  });
});

test("an uncommitted file makes VCS_MODIFIED true", async (t) => {
  const { folder } = await checkout(t);
  await writeFile(join(folder, "new.ts"), "");
  t.is((await buildArgs(folder))["VCS_MODIFIED"], "true");
});

for (const [remote, source] of [
  ["https://example.com/o/r.git", "https://example.com/o/r"],
  ["https://user:pass@word@example.com/o/r.git", "https://example.com/o/r"],
  ["http://user:password@example.com/o/r", "http://example.com/o/r"],
  ["https://example.com/a@b/r.git", "https://example.com/a@b/r"],
  ["https://example.com/o/r?token=secret", "https://example.com/o/r"],
  ["git@example.com:o/r.git", "https://example.com/o/r"],
  ["ssh://git:password@example.com:22/o/r.git", "https://example.com/o/r"],
  ["/home/my dir/r", ""],
] as const) {
  test(`VCS_SOURCE of a clone of ${remote} is ${source || "empty"}`, async (t) => {
    const { folder, git } = await checkout(t);
    await git("remote", "add", "origin", remote);
    t.is((await buildArgs(folder))["VCS_SOURCE"], source);
  });
}

test("the script fails outside a checkout, even in a folder of another one", async (t) => {
  const { folder } = await checkout(t);
  const inner = join(folder, "inner");
  await mkdir(join(inner, "deploy/image"), { recursive: true });
  await copyFile(join(root, script), join(inner, script));
  await t.throwsAsync(execute(join(inner, script)), { message: /expected a git checkout, got .*inner/ });
});
