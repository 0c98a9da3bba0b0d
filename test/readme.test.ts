import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { settings } from "../src/platform/config/settings.ts";
import { send } from "./platform/http/request.ts";
import { listening, serveProcess } from "./process.ts";
import { blocks, examples, readme, root } from "./readme.ts";

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
const text = readme + readFileSync(join(root, "CONTRIBUTING.md"), "utf8");

// The examples with curl and grpcurl run with the other clients: `npm run test:clients`.
for (const { command, printed } of examples("npm")) {
  test(`the README's example runs: ${command}`, async (t) => {
    const { grpc } = await listening(serveProcess(t));
    const { stdout } = await promisify(execFile)("sh", ["-c", `${command} --target ${grpc}`], { cwd: root });
    t.is(stdout.trimEnd(), printed);
  });
}

test("the README's TypeScript runs", async (t) => {
  const { grpc } = await listening(serveProcess(t));
  const [snippet = ""] = blocks("ts");
  const folder = mkdtempSync(join(tmpdir(), "greeter-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "snippet.mts");
  writeFileSync(file, snippet.replace("localhost:50051", grpc).replace('"./src/', `"${root}/src/`));
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  t.is(stdout, "Hello, Ada!\n");
});

test("the README starts with the two commands, and they exist", (t) => {
  t.is(blocks("sh")[0], "npm ci && npm start\nnpm ci && npm test\n");
  t.truthy(scripts["start"]);
  t.truthy(scripts["test"]);
});

test("every script that the README or CONTRIBUTING names exists", (t) => {
  for (const [, name] of text.matchAll(/npm run (?:-s )?([\w:-]+)/g)) t.truthy(scripts[name!], name);
});

test("every file that the README or CONTRIBUTING names exists", (t) => {
  for (const [, file] of text.matchAll(/((?:src|test|proto|bench|deploy)\/[\w./-]*\w)/g)) {
    t.true(existsSync(join(root, file!)), file);
  }
});

test("every metric that the README names is there", async (t) => {
  const { http, admin } = await listening(serveProcess(t));
  await send(http, "/Ada");
  const { body } = await send(admin, "/metrics");
  const [, section = ""] = /### Metrics\n([^]*?)\n### /.exec(readme) ?? [];
  const names = new Set(section.match(/\b(?:http|rpc|greeter|nodejs|v8js|process)_\w*[a-z]/g));
  t.true(names.size > 10);
  for (const name of names) t.true(body.includes(name), name);
});

test("the README's line of the log has the fields of a line of the log", async (t) => {
  const service = serveProcess(t);
  const { http } = await listening(service);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await send(http, "/Ada", { headers: { traceparent } });
  const line = await service.logged(({ msg }) => msg === "Request");
  t.deepEqual(Object.keys(JSON.parse(blocks("json")[0]!) as object), Object.keys(line));
});

test("the README's table of settings is the one that the program reads", (t) => {
  const rows = [...readme.matchAll(/^\| (`-.*?`) +\| `(GREETER_\w+)` +\| (?:`([^`]+)`|none) +\| (.*?) +\|$/gm)].map(
    ([, flags, variable, value = "", meaning]) => ({ flags, variable, default: value, description: meaning }),
  );
  t.deepEqual(
    rows,
    Object.values(settings).map(({ flags, ...setting }) => ({
      flags: flags
        .replace(/ <.*>/, "")
        .split(", ")
        .map((flag) => `\`${flag}\``)
        .join(", "),
      variable: setting.variable,
      default: setting.default,
      description: setting.description,
    })),
  );
});
