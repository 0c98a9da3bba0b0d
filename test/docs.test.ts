import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { parse } from "yaml";
import { withSettingsTable } from "../build/settings-table.ts";
import { run as runProgram, settings } from "../src/cli.ts";
import { ServiceError } from "../src/platform/errors.ts";
import type { Code } from "../src/platform/errors.ts";
import { toErrorResponse } from "../src/platform/http/errors.ts";
import { blocks, examples, pages, patternOf, programsOf, read, root, run } from "./docs.ts";
import type { Document } from "./docs.ts";
import { send } from "./platform/http/request.ts";
import { listening, serveProcess } from "./process.ts";

const documents = [...pages, ...["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(read)];
const [readme] = pages as [Document];
const page = (name: string): Document => pages.find(({ file }) => file === `docs/${name}.md`)!;
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };

/** Returns the text of a document without its code blocks. */
function proseOf({ text }: Document): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
}

/** Returns every inline code of a document. */
function codesOf(document: Document): string[] {
  return [...proseOf(document).matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code.replaceAll(/\s+/g, " "));
}

// Examples with curl and grpcurl run with the other clients: `npm run test:clients`.
const local = new Set(["npm", "echo"]);
const remote = new Set(["curl", "grpcurl"]);
for (const example of examples().filter((each) => programsOf(each).every((program) => local.has(program)))) {
  test(`runs the example of ${example.title}`, async (t) => {
    const service = serveProcess(t);
    const addresses = await listening(service);
    await service.logged(({ msg }) => msg === "Serving");
    const printed = await run(example, addresses);
    for (const [index, text] of printed.entries()) t.regex(text, patternOf(example.printed[index]!));
    t.is(printed.length, example.commands.length);
  });
}

test("every console block is an example that a test runs", (t) => {
  t.true(examples().length > 5);
  for (const example of examples()) {
    for (const program of programsOf(example)) t.true(local.has(program) || remote.has(program), example.title);
  }
});

for (const document of pages) {
  for (const [index, block] of blocks("ts", [document]).entries()) {
    const [, file] = /^\/\/ ((?:src|test)\/.*)\n/.exec(block) ?? [];
    if (file === undefined) {
      test(`runs the TypeScript example ${index + 1} of ${document.file}`, async (t) => {
        const { grpc } = await listening(serveProcess(t));
        const expected = [...block.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => `${text}\n`);
        const running = promisify(execFile)(process.execPath, ["--input-type=module-typescript", "-"], { cwd: root });
        running.child.stdin!.end(block.replace('"localhost:50051"', JSON.stringify(grpc)));
        t.is((await running).stdout, expected.join(""));
      });
    } else {
      test(`${file} has the lines of excerpt ${index + 1} of ${document.file}`, (t) => {
        const lines = (text: string): string => text.replaceAll(/^\s+/gm, "");
        const found = lines(readFileSync(join(root, file), "utf8")).includes(lines(block.replace(/.*\n/, "")));
        t.true(found, `Missing in ${file}; update ${document.file}: ${block}`);
      });
    }
  }
}

test("the README starts with the two commands, and has at most 120 lines", (t) => {
  t.is(blocks("sh", [readme])[0], "npm ci && npm start\nnpm ci && npm test\n");
  t.true(readme.text.startsWith("# Greeter\n\n```sh\n"));
  t.true(readme.text.split("\n").length <= 121);
});

test("the README links to every page", (t) => {
  for (const { file } of pages.slice(1)) t.true(readme.text.includes(`](${file})`), file);
});

test("no line has more than 120 characters, except in the tables of settings and metrics", (t) => {
  for (const { file, text } of documents) {
    const wide = /^\| (?:flag|metric) .*\n(?:\|.*\n)*/gm;
    const long = text
      .replaceAll(wide, "")
      .split("\n")
      .filter((line) => line.length > 120);
    t.deepEqual(long, [], file);
  }
});

test("no paragraph has more than six sentences", (t) => {
  for (const document of documents) {
    for (const paragraph of proseOf(document).split(/\n\n|\n(?=[-|] |\d+\. )/)) {
      const sentences = paragraph.match(/[.?!](?=\s|$)/g)?.length ?? 0;
      t.true(sentences <= 6, `${document.file}: ${paragraph}`);
    }
  }
});

/** Returns every match of the pattern's first group in the texts, as `file: match`, that is not right. */
function wrong(
  pattern: RegExp,
  isRight: (match: string, file: string) => boolean,
  texts: readonly Document[] = documents,
): string[] {
  return texts.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)]
      .map(([, match = ""]) => match)
      .filter((match) => !isRight(match, file))
      .map((match) => `${file}: ${match}`),
  );
}

test("every link inside the repository leads to a file and to a heading", (t) => {
  const isRight = (link: string, file: string): boolean => {
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? file : join(dirname(file), path);
    if (!existsSync(join(root, target))) return false;
    return anchor === undefined || anchorsOf(read(target)).includes(anchor);
  };
  t.deepEqual(wrong(/\]\((?!https?:)([^)\s]+)\)/g, isRight), []);
  t.deepEqual(wrong(/(?:src|srcset)="([^"]+)"/g, isRight), []);
});

/** Returns the anchors that GitHub gives to the headings of a document. */
function anchorsOf(document: Document): string[] {
  return [...proseOf(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

test("every file that a document names exists", (t) => {
  const path = /(?<![\w/.-])((?:src|test|proto|bench|deploy|build|docs)\/[\w./@-]*\w)/g;
  // `orders` is the example of a copy.
  t.deepEqual(
    wrong(path, (file) => file.includes("/orders") || existsSync(join(root, file))),
    [],
  );
});

test("every npm script that a document names exists", (t) => {
  t.deepEqual(
    wrong(/npm run (?:-s )?([\w:-]+)/g, (name) => name in scripts),
    [],
  );
  t.true("start" in scripts && "test" in scripts);
});

test("the table of settings is up to date with `npm run generate:docs`", (t) => {
  const { text } = page("settings");
  t.is(withSettingsTable(text), text);
});

/** Returns the help of some commands. */
async function helpOf(...commands: string[][]): Promise<string> {
  let text = "";
  const output = { write: (more: string) => (text += more) };
  for (const command of commands) await runProgram([...command, "--help"], { stdout: output, stderr: output, env: {} });
  return text;
}

/** Flags of other programs. */
const foreign = new Set([
  "--format",
  "--stop-timeout",
  "--timestamp",
  "--enable-source-maps",
  "--global",
  "--exclude-dir",
  "--omit",
]);

test("every flag and variable that a document names is a setting or an option", async (t) => {
  const help = await helpOf([], ["serve"], ["hello"], ["call"], ["check-health"], ["version"]);
  const flags = new Set([...(help.match(/(?<![\w-])--[a-z][\w-]*/g) ?? []), ...foreign]);
  const variables = new Set(Object.values(settings).map(({ variable }) => variable));
  t.true(flags.size > 30);
  // The CHANGELOG names what was removed.
  const codes = [...pages, read("SECURITY.md")].map(({ file, ...document }) => ({
    file,
    text: codesOf({ file, ...document }).join("\n"),
  }));
  t.deepEqual(
    wrong(/(?<![\w-])(--[a-z][\w-]*)(?!…)/g, (flag) => flags.has(flag), codes),
    [],
  );
  // Kubernetes sets GREETER_SERVICE_HOST.
  t.deepEqual(
    wrong(/\b(GREETER_(?!SERVICE_HOST)[A-Z_]+)\b/g, (variable) => variables.has(variable), codes),
    [],
  );
});

test("the page of the command line has every option of the client commands", async (t) => {
  const { text } = page("cli");
  const options = (await helpOf(["call"], ["check-health"])).match(/^ +--[\w-]+(?: <[\w:]+>)?/gm)!;
  t.true(options.length > 8);
  t.deepEqual(
    options.filter((option) => !text.includes(`\`${option.trim()}\``)),
    [],
  );
});

test("every metric that a page names exists", async (t) => {
  const { http, admin } = await listening(serveProcess(t));
  await send(http, "/Ada");
  const { body } = await send(admin, "/metrics");
  const names = new Set<string>();
  for (const document of [...pages, read("SECURITY.md")]) {
    const codes = [...codesOf(document), ...blocks("promql", [document])].join("\n");
    for (const [name] of codes.matchAll(/\b(?:http_server|rpc_server|greeter|nodejs|v8js|process)_\w*[a-z]/g)) {
      names.add(name);
    }
  }
  t.true(names.size > 20);
  const missing = [...names].filter((name) => !new RegExp(`^(?:# HELP )?${name}\\b`, "m").test(body));
  t.deepEqual(missing, []);
});

test("the documented line of the log has the fields of a real one, and the table explains each", async (t) => {
  const service = serveProcess(t, ["--trust-proxy", "127.0.0.1"]);
  const { http } = await listening(service);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const observability = page("observability");
  await send(http, "/Ada", { headers: { traceparent } });
  const line = await service.logged(({ msg }) => msg === "Request");
  t.deepEqual(Object.keys(JSON.parse(blocks("json", [observability])[0]!) as object), Object.keys(line));

  await send(http, "/Bob", { headers: { traceparent, "x-forwarded-for": "203.0.113.7" } });
  const forwarded = await service.logged(({ path }) => path === "/Bob");
  const [, table = ""] = /^(\| field [^]*?)\n\n/m.exec(observability.text) ?? [];
  const explained = [...table.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, cell = ""]) => cell.match(/\w+/g)!);
  t.deepEqual(explained.toSorted(), Object.keys(forwarded).toSorted());
});

test("the table of codes has the HTTP status of each", (t) => {
  const rows = [...page("http-api").text.matchAll(/^\| `([A-Z_]+)` +\| (\d{3})\b/gm)];
  t.is(new Set(rows.map(([, code]) => code)).size, 16);
  for (const [, code, status] of rows) {
    t.is(toErrorResponse(new ServiceError(code as Code, "")).status, Number(status), code);
  }
});

test("the probes on the page of the lifecycle are those of the Deployment", (t) => {
  const documented = parse(blocks("yaml", [page("lifecycle")])[0]!) as object;
  const manifest = parse(read("deploy/kubernetes/base/deployment.yaml").text) as {
    spec: { template: { spec: { containers: object[] } } };
  };
  t.like(manifest.spec.template.spec.containers[0], documented);
});

test("the page of observability has every alert", (t) => {
  const { text } = read("deploy/monitoring/alerts.yaml");
  const names = new Set([...text.matchAll(/alert: (\w+)/g)].map(([, name]) => name!));
  t.true(names.size > 5);
  const missing = [...names].filter((name) => !page("observability").text.includes(`\`${name}\``));
  t.deepEqual(missing, []);
});

/** Sources by hand, with their path. */
const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("gen/"))
  .map((file) => read(join("src", file)));

/** A text in the sources, with the pattern in which a placeholder stands for anything. */
interface SourceText {
  source: string;
  pattern: RegExp;
}

/** Returns the text of each match. */
function textsIn(calls: RegExp): SourceText[] {
  return sources.flatMap((source) =>
    [...source.text.matchAll(calls)].map(({ groups }) => {
      const text = groups?.["text"] ?? "";
      const parts = text.split(/\$\{[^}]*(?:\}|$)/).map((part) => RegExp.escape(part));
      return { source: `${source.file}: ${text}`, pattern: new RegExp(parts.join("[^`]+"), "i") };
    }),
  );
}

/** Returns the texts that the page of troubleshooting does not have. */
function unexplained(texts: readonly SourceText[]): string[] {
  const codes = codesOf(page("troubleshooting")).join("\n");
  return texts.filter(({ pattern }) => !pattern.test(codes)).map(({ source }) => source);
}

const literal = /(?<quote>["`])(?<text>(?:(?!\k<quote>)[^])+)\k<quote>/.source;

test("the page of troubleshooting has every log message of level warn or higher", (t) => {
  const written = textsIn(
    new RegExp(`\\b(?:log|diag)\\.(?:warn|error|fatal)\\((?:[^;]*?,\\s*)?${literal}\\s*\\)`, "g"),
  );
  const count = sources.flatMap(({ text }) => text.match(/\b(?:log|diag)\.(?:warn|error|fatal)\(/g) ?? []).length;
  t.is(written.length, count);
  t.true(count > 8);
  t.deepEqual(unexplained(written), []);
});

test("the page of troubleshooting has every error of the platform and the service", (t) => {
  const thrown = [
    ...textsIn(new RegExp(`\\b(?:new Error|invalidArgument)\\(\\s*${literal}`, "g")),
    ...textsIn(new RegExp(`\\b(?:new ServiceError|context\\.throw)\\(\\s*(?:"[A-Z_]+"|\\d+),\\s*${literal}`, "g")),
  ];
  t.true(thrown.length > 15);
  t.deepEqual(unexplained(thrown), []);
});

test("each diagram has a light and a dark file that differ only in their style", (t) => {
  const images = join(root, "docs/images");
  const diagrams = readdirSync(images).filter((name) => name.endsWith("-light.svg"));
  t.true(diagrams.length > 0);
  for (const light of diagrams) {
    const [a, b] = [light, light.replace("-light", "-dark")].map((name) =>
      readFileSync(join(images, name), "utf8").replace(/<style>[^]*<\/style>/, ""),
    );
    t.is(a, b, light);
  }
});
