import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { root } from "../readme.ts";

const folder = ".github/workflows";
const workflows = readdirSync(join(root, folder)).map((file) => ({ file, text: read(`${folder}/${file}`) }));
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/**
 * The shell of a workflow: what stands behind each `run:`, and under it where that is a block. By lines and indents, for
 * no YAML parser is needed for anything else here.
 */
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

test("the shell of a workflow is found", (t) => {
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
  test(`${file}: every action is pinned to a commit, and says of which version`, (t) => {
    for (const [, used = ""] of text.matchAll(/\buses: *(.*)$/gm)) {
      if (used.startsWith("./")) t.true(existsSync(join(root, used)), used);
      else t.regex(used, /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });

  test(`${file}: a job may only read, unless it says more`, (t) => {
    const [, permissions = ""] = /^permissions:\n((?: {2}.*\n)+)/m.exec(text) ?? [];
    t.regex(permissions, /^(?: {2}[\w-]+: read\n)+$/);
  });

  test(`${file}: no token stays in a checkout`, (t) => {
    const checkouts = text.split("uses: actions/checkout@").slice(1);
    t.deepEqual(
      checkouts.filter((checkout) => !/^.*\n *with:\n *persist-credentials: false\n/.test(checkout)),
      [],
    );
  });

  test(`${file}: nothing that others may write gets into the shell`, (t) => {
    // What is written into a script is run as a part of it. Even what looks harmless comes by the environment.
    t.deepEqual(
      shell(text).filter((script) => script.includes("${{")),
      [],
    );
    t.notRegex(text, /pull_request_target|github\.head_ref/);
  });

  test(`${file}: the scripts and files that it names exist`, (t) => {
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

test("one version of an action is in use", (t) => {
  const versions = new Map<string, string>();
  for (const { text } of workflows) {
    for (const [, name = "", version = ""] of text.matchAll(/\buses: *([^@\s]+)@(.*)$/gm)) {
      t.is(versions.get(name) ?? version, version, name);
      versions.set(name, version);
    }
  }
});

test("a release needs no emulator, for the Dockerfile runs only what is for the builder's own platform", (t) => {
  t.notRegex(workflows.map(({ text }) => text).join("\n"), /qemu/);
  const stages = read("Dockerfile")
    .split(/^FROM /m)
    .slice(1);
  for (const stage of stages.filter((one) => /^RUN /m.test(one))) t.regex(stage, /^--platform=\$BUILDPLATFORM /);
});

test("the Node lines are those that the README and `engines` promise", (t) => {
  const text = read(`${folder}/ci.yml`);
  const [checkout = [], runtime = []] = [...text.matchAll(/^ +node: \[(.*)\]$/gm)].map(([, list = ""]) =>
    list.split(", ").map(Number),
  );
  t.is(Math.min(...checkout), Number(/any Node from (\d+) on/.exec(read("README.md"))?.[1]));
  const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };
  t.is(`>=${Math.min(...runtime)}`, engines.node);
});

test("a release has the notes that the CHANGELOG has of its version, and none without", (t) => {
  const notes = (version: string) =>
    execFileSync(join(root, ".github/release-notes"), [version], { encoding: "utf8", stdio: "pipe" });
  const sections = read("CHANGELOG.md").split(/^## /m).slice(1);
  const told = sections
    .map((section) => /^\[?([^\]\s]+).*\n([^]*)$/.exec(section)!)
    .filter(([, , text = ""]) => text.trim());
  t.true(told.length > 0);
  for (const [, version = "", text = ""] of told) t.is(notes(version).trim(), text.trim());
  t.throws(() => notes("999.0.0"), { message: /nothing under '## 999\.0\.0'/ });
});
