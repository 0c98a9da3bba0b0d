import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { root } from "../docs.ts";

const folder = ".github/workflows";
const workflows = readdirSync(join(root, folder)).map((file) => ({ file, text: read(`${folder}/${file}`) }));
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** Returns the scripts of a workflow: the text after each `run:`, with the block below it. */
function shell(text: string): string[] {
  return [...text.matchAll(/^( *)(- )?run: (.+)\n((?:(?:\1 {2}.*)?\n)*)/gm)].map(
    ([, indent = "", dash = "", line = "", block = ""]) => {
      const deeper = new RegExp(`^ {${indent.length + dash.length + 1},}`);
      const lines = block.split("\n");
      const end = lines.findIndex((one) => one !== "" && !deeper.test(one));
      return [line, ...(end === -1 ? lines : lines.slice(0, end))].join("\n");
    },
  );
}

test("shell() finds every script of a workflow", (t) => {
  const text =
    "steps:\n  - run: a\n  - name: B\n    run: |\n      b\n\n      c\n    env:\n      D: d\n  - run: >-\n      e\n";
  t.deepEqual(
    shell(text).map((found) => found.trimEnd()),
    ["a", "|\n      b\n\n      c", ">-\n      e"],
  );
  const count = workflows.reduce((sum, workflow) => sum + workflow.text.split(/\brun: /).length - 1, 0);
  t.is(workflows.flatMap((workflow) => shell(workflow.text)).length, count);
  t.true(count > 10);
});

for (const { file, text } of workflows) {
  test(`${file}: every action is pinned to a commit, with its version in a comment`, (t) => {
    for (const [, used = ""] of text.matchAll(/\buses: *(.*)$/gm)) {
      if (used.startsWith("./")) t.true(existsSync(join(root, used)), used);
      else t.regex(used, /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });

  test(`${file}: the default permissions of a job are read-only`, (t) => {
    const [, permissions = ""] = /^permissions:\n((?: {2}.*\n)+)/m.exec(text) ?? [];
    t.regex(permissions, /^(?: {2}[\w-]+: read\n)+$/);
  });

  test(`${file}: a checkout keeps no token`, (t) => {
    const checkouts = text.split("uses: actions/checkout@").slice(1);
    t.deepEqual(
      checkouts.filter((checkout) => !/^.*\n *with:\n *persist-credentials: false\n/.test(checkout)),
      [],
    );
  });

  test(`${file}: no expression is expanded in a script`, (t) => {
    // The shell runs an expanded expression as code, so every value comes from the environment.
    t.deepEqual(
      shell(text).filter((script) => script.includes("${{")),
      [],
    );
    t.notRegex(text, /pull_request_target|github\.head_ref/);
  });

  test(`${file}: every script and file in it exists`, (t) => {
    const commands = shell(text).join("\n");
    const named = [...commands.matchAll(/\bnpm (?:run (?:-s )?([\w:]+)|(start|test))/g)].map(
      ([, run, own]) => run ?? own!,
    );
    t.deepEqual(
      named.filter((name) => !scripts[name]),
      [],
    );
    const paths = [
      ...(commands.match(/(?<![\w./-])(?:\.ci|\.github|bench|build|deploy|src|test)\/[\w./-]*\w/g) ?? []),
      ...[...text.matchAll(/(?:-file|-path): *([\w./-]+)$/gm)].map(([, path]) => path!),
    ];
    t.deepEqual(
      paths.filter((path) => !existsSync(join(root, path))),
      [],
    );
  });
}

test("all workflows use the same version of an action", (t) => {
  const versions = new Map<string, string>();
  for (const { text } of workflows) {
    for (const [, name = "", version = ""] of text.matchAll(/\buses: *([^@\s]+)@(.*)$/gm)) {
      t.is(versions.get(name) ?? version, version, name);
      versions.set(name, version);
    }
  }
});

test("a release needs no emulator, because every stage with RUN has the builder's platform", (t) => {
  t.notRegex(workflows.map(({ text }) => text).join("\n"), /qemu/);
  const stages = read("Dockerfile")
    .split(/^FROM /m)
    .slice(1);
  for (const stage of stages.filter((one) => /^RUN /m.test(one))) t.regex(stage, /^--platform=\$BUILDPLATFORM /);
});

test("CI tests the lines of Node that the README and `engines` promise", (t) => {
  const text = read(`${folder}/ci.yml`);
  const [checkout = [], runtime = []] = [...text.matchAll(/^ +node: \[(.*)\]$/gm)].map(([, list = ""]) =>
    list.split(", ").map(Number),
  );
  t.is(Math.min(...checkout), Number(/any Node from (\d+) on/.exec(read("README.md"))?.[1]));
  const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };
  t.is(`>=${Math.min(...runtime)}`, engines.node);
});

test("the notes of a release are its section of the CHANGELOG, and a release without one fails", (t) => {
  const notes = (version: string) =>
    execFileSync(join(root, ".github/release-notes"), [version], { encoding: "utf8", stdio: "pipe" });
  const sections = read("CHANGELOG.md").split(/^## /m).slice(1);
  const released = sections
    .map((section) => /^\[?([^\]\s]+).*\n([^]*)$/.exec(section)!)
    .filter(([, , text = ""]) => text.trim());
  t.true(released.length > 0);
  for (const [, version = "", text = ""] of released) t.is(notes(version).trim(), text.trim());
  t.throws(() => notes("999.0.0"), { message: /nothing under '## 999\.0\.0'/ });
});
