import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { formatBuildInfo, readBuildInfo } from "../src/platform/build-info.ts";
import { createContext } from "../src/platform/context.ts";
import { buildInto } from "./bundle.ts";
import { createGreeterClient } from "../src/greeter/client.ts";
import { send } from "./platform/http/request.ts";
import { listening, serveProcess } from "./process.ts";
import { modulesIn, modulesOf } from "./bill-of-materials.ts";
import { receiveTraces } from "./platform/telemetry/receiver.ts";

const execute = promisify(execFile);

/** A folder outside the repository, without node_modules. */
let folder: string;
let bundle: string;

test.before("build the bundle into an empty folder", async () => {
  folder = await mkdtemp(join(tmpdir(), "greeter-"));
  bundle = await buildInto(folder);
});
test.after.always("remove the folder", () => rm(folder, { recursive: true }));

const files = ["greeter", "otlp", "pretty"]
  .flatMap((name) => [`${name}.cjs`, `${name}.cjs.map`])
  .concat("greeter.cdx.json")
  .toSorted();

test.serial("the build writes an executable, two optional chunks, source maps and a bill of materials", async (t) => {
  t.deepEqual((await readdir(folder)).toSorted(), files);
  t.is((await stat(bundle)).mode & 0o111, 0o111);
  const { sources } = JSON.parse(await readFile(`${bundle}.map`, "utf8")) as { sources: string[] };
  t.true(sources.some((source) => source.endsWith("src/greeter/greeter.ts")));
});

test("the bundle greets without any other file", async (t) => {
  const { stdout } = await execute(process.execPath, ["greeter.cjs", "hello", "Bob"], { cwd: folder });
  t.is(stdout, "Hello, Bob!\n");
});

test("the bundle embeds its build information", async (t) => {
  const { stdout } = await execute(process.execPath, ["greeter.cjs", "version"], { cwd: folder, env: { PATH: "" } });
  t.is(stdout, formatBuildInfo(await readBuildInfo()));
});

test("the bill of materials lists exactly the modules of the build information, with their hashes", async (t) => {
  t.deepEqual(modulesIn(await readFile(join(folder, "greeter.cdx.json"), "utf8")), modulesOf(await readBuildInfo()));
});

test("the build is reproducible", async (t) => {
  const again = await mkdtemp(join(tmpdir(), "greeter-"));
  t.teardown(() => rm(again, { recursive: true }));
  await buildInto(again);
  for (const file of files)
    t.true((await readFile(join(folder, file))).equals(await readFile(join(again, file))), file);
});

test("the bundle serves both protocols, and stops on SIGTERM", async (t) => {
  const service = serveProcess(t, [], { program: ["greeter.cjs"], cwd: folder });
  const { http, grpc } = await listening(service);
  const client = createGreeterClient({ target: grpc });
  t.teardown(() => client.close());
  t.is((await send(http, "/Bob", { accept: "text/plain" })).body, "Hello, Bob!\n");
  t.is(await client.greet("Bob", createContext({ deadline: Date.now() + 10_000 })), "Hello, Bob!");
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
});

test("a signal that arrives while the bundle loads is not lost", async (t) => {
  const sender = join(folder, "sender.cjs");
  // The listener stands in for the bundle's own, which its first line adds. Node delivers the signal after the bundle has loaded.
  await writeFile(sender, 'process.on("SIGTERM", () => {}); process.kill(process.pid, "SIGTERM");');
  const service = serveProcess(t, [], { program: ["--require", sender, bundle] });
  t.like(await service.ended, { code: 0, err: "" });
  t.like(service.lines.at(-1), { msg: "Stopped", reason: "SIGTERM" });
  await rm(sender);
});

test("the bundle handles signals before it loads anything", async (t) => {
  const [, code = ""] =
    /^#!.*\n(?:\/\/.*\n)*([^]*?)\n(?:var|let|const|\/\/) /.exec(await readFile(bundle, "utf8")) ?? [];
  t.regex(code, /SIGTERM: 15/);
  t.notRegex(code, /require\(/);
});

test("without an OTLP endpoint, the bundle does not load the exporter", async (t) => {
  const alone = await mkdtemp(join(tmpdir(), "greeter-"));
  t.teardown(() => rm(alone, { recursive: true }));
  await copyFile(bundle, join(alone, "greeter.cjs"));
  const service = serveProcess(t, [], { program: ["greeter.cjs"], cwd: alone });
  const { grpc } = await listening(service);
  const { stdout } = await execute(process.execPath, ["greeter.cjs", "call", "greet", "--target", grpc], {
    cwd: alone,
  });
  t.is(stdout, "Hello, Linky 🐙!\n");
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
});

test("with an OTLP endpoint, the bundle exports spans", async (t) => {
  const { env, received } = await receiveTraces(t);
  const service = serveProcess(t, [], { program: ["greeter.cjs"], cwd: folder, env });
  const { http } = await listening(service);
  await send(http, "/Bob");
  service.kill("SIGTERM");
  t.like(await received(() => true), { name: "GET /{name}", resource: { "service.name": "greeter" } });
  t.like(await service.ended, { code: 0, err: "" });
});
