import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";

const root = join(import.meta.dirname, "..");
const proto = "proto/greeter/v1/greeter.proto";

async function command(file: string, ...args: string[]): Promise<string> {
  return (await promisify(execFile)(file, args, { cwd: root })).stdout.trim();
}

/** The revisions whose contract must go on working: what this branch comes from, and the commits before the working tree. */
async function earlierRevisions(): Promise<string[]> {
  const revisions = new Set<string>();
  for (const args of [
    ["merge-base", "origin/main", "HEAD"],
    ["rev-parse", "HEAD"],
    ["rev-parse", "HEAD^"],
  ]) {
    try {
      const revision = await command("git", ...args);
      await command("git", "cat-file", "-e", `${revision}:${proto}`);
      revisions.add(revision);
    } catch {
      // There is no such revision, or no contract in it.
    }
  }
  return [...revisions];
}

test("the generated code is what `npm run generate` writes", async (t) => {
  const output = await mkdtemp(join(tmpdir(), "greeter-"));
  t.teardown(() => rm(output, { recursive: true }));
  await command("buf", "generate", "--output", output);
  const generated = join(output, "src/gen");
  const committed = join(root, "src/gen");
  const files = async (folder: string): Promise<string[]> => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
      .toSorted();
  };
  t.deepEqual(await files(committed), await files(generated));
  for (const file of await files(committed)) {
    t.is(await readFile(join(committed, file), "utf8"), await readFile(join(generated, file), "utf8"), file);
  }
});

test("the contract breaks nobody who uses the one before it", async (t) => {
  const revisions = await earlierRevisions();
  t.log(revisions);
  t.true(revisions.length > 0 || process.env["CI"] === undefined, "CI has the repository");
  for (const revision of revisions) {
    await t.notThrowsAsync(command("buf", "breaking", "--against", `.git#ref=${revision}`), revision);
  }
});
