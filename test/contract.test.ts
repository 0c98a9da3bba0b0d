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

/** Returns the revisions that the contract must stay compatible with: the merge base with main, HEAD and its parent. */
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
      // The revision does not exist, or has no contract.
    }
  }
  return [...revisions];
}

/** Returns the paths of all files of a folder, relative to it. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .toSorted();
}

test("the generated code is up to date with `npm run generate`", async (t) => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    scripts: { generate: string };
  };
  const output = await mkdtemp(join(tmpdir(), "greeter-"));
  t.teardown(() => rm(output, { recursive: true }));
  for (const generate of scripts.generate.split(" && ")) {
    const [file = "", ...args] = generate.split(" ");
    await command(file, ...args, "--output", output);
  }
  for (const folder of ["src/gen", "test/fixtures/gen"]) {
    const [generated, committed] = [join(output, folder), join(root, folder)];
    t.deepEqual(await filesOf(committed), await filesOf(generated));
    for (const file of await filesOf(committed)) {
      t.is(await readFile(join(committed, file), "utf8"), await readFile(join(generated, file), "utf8"), file);
    }
  }
});

/** Exit code of buf if it has findings. */
const BUF_FINDINGS = 100;

/** Returns buf's findings for the changes since a revision. */
async function breakingChanges(revision: string): Promise<string[]> {
  try {
    await command("buf", "breaking", "--against", `.git#ref=${revision}`);
    return [];
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    if (code !== BUF_FINDINGS) throw error;
    // buf reports any change of an idempotency level. A first level is compatible: it only permits clients to repeat a call.
    return stdout
      .split("\n")
      .filter((line) => line !== "" && !/"idempotency_level" from "IDEMPOTENCY_UNKNOWN"/.test(line));
  }
}

test("the contract is compatible with its earlier versions", async (t) => {
  const revisions = await earlierRevisions();
  t.log(revisions);
  t.true(revisions.length > 0 || process.env["CI"] === undefined, "CI has the repository");
  for (const revision of revisions) t.deepEqual(await breakingChanges(revision), [], revision);
});
