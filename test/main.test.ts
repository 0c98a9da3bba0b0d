import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { createGreeterClient } from "../src/greeter/client.ts";
import { formatAddress } from "../src/platform/config/address.ts";
import { createContext } from "../src/platform/context.ts";
import { listen } from "../src/platform/lifecycle/listen.ts";
import { send } from "./platform/http/request.ts";
import { checkout, listening, serveProcess } from "./process.ts";
import { root } from "./docs.ts";

/** Runs a command in a process of its own. */
async function greeter(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [...checkout, ...args])) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

test("both protocols give the same greeting and the same build information", async (t) => {
  const service = serveProcess(t, ["-g", "Hi"]);
  const { http, grpc } = await listening(service);
  const client = createGreeterClient({ target: grpc });
  t.teardown(() => client.close());
  t.is((await send(http, "/Bob", { accept: "text/plain" })).body, "Hi, Bob!\n");
  t.is(await client.greet("Bob", createContext()), "Hi, Bob!");

  const json = JSON.parse((await send(http, "/version", { accept: "application/json" })).body) as object;
  const { runtime, dependencies, settings } = await client.version(createContext());
  t.like(json, { runtime, settings });
  t.is((json as { dependencies: unknown[] }).dependencies.length, dependencies.length);
});

test("without build information only the version fails, and the log names the reason", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "greeter-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, "src"), join(folder, "src"), { recursive: true });
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));

  const service = serveProcess(t, [], { program: [join(folder, "src/main.ts")] });
  const { http, grpc } = await listening(service);
  const client = createGreeterClient({ target: grpc });
  t.teardown(() => client.close());
  t.is(await client.greet("Bob", createContext()), "Hello, Bob!");
  await t.throwsAsync(client.version(createContext()), {
    code: "INTERNAL",
    message: /^Internal error \(request id [\w-]+\)$/,
  });
  t.is((await send(http, "/version")).status, 500);

  t.like(await service.logged(({ level }) => level === "warn"), { msg: "No build information" });
  const failed = (request: string): Promise<unknown> =>
    service.logged(({ level, msg, ...line }) => level === "error" && line["request"] === request);
  t.like(await failed("GET /version"), { msg: "Request failed" });
  t.like(await failed("greeter.v1.GreeterService/Version"), { msg: "Request failed" });
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
});

test("call greets and prints the version of the server", async (t) => {
  const { grpc } = await listening(serveProcess(t));
  t.like(await greeter("call", "greet", "Bob", "--target", grpc), { code: 0, stdout: "Hello, Bob!\n" });
  t.like(await greeter("call", "--target", grpc, "greet"), { code: 0, stdout: "Hello, Linky 🐙!\n" });
  t.like(await greeter("call", "greet", "Bob", "--output", "json", "--target", grpc), {
    code: 0,
    stdout: '{"message":"Hello, Bob!"}\n',
  });
  t.is((await greeter("call", "version", "--target", grpc)).stdout, (await greeter("version")).stdout);
  t.like(await greeter("call", "greet", "", "--target", grpc), {
    code: 1,
    stderr: 'call: invalid name "": expected 1 to 256 characters\n',
  });
});

test("call names the server that it cannot reach, in one line", async (t) => {
  const { code, stdout, stderr } = await greeter("call", "greet", "--target", "127.0.0.1:1");
  t.is(code, 1);
  t.is(stdout, "");
  t.regex(stderr, /^call: 127\.0\.0\.1:1 is unavailable: .*\n$/);
});

test("call ends at its timeout if the server does not answer", async (t) => {
  const silent = createServer();
  t.teardown(() => silent.close());
  const target = formatAddress(await listen(silent, { host: "127.0.0.1", port: 0 }));
  const { code, stderr } = await greeter("call", "greet", "--target", target, "--timeout", "200ms");
  t.is(code, 1);
  t.is(stderr, `call: no answer from ${target} before the deadline\n`);
});
