import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { promisify } from "node:util";
import test from "ava";
import { formatAddress } from "../src/platform/config/address.ts";
import { listen } from "../src/platform/lifecycle/listen.ts";
import { createGreeterClient } from "../src/greeter/client.ts";
import { send } from "./platform/http/request.ts";
import { checkout, listening, serveProcess } from "./process.ts";

/** Runs a command in a process of its own. */
async function greeter(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [...checkout, ...args])) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

test("serves both protocols, with one logic", async (t) => {
  const service = serveProcess(t, ["-g", "Hi"]);
  const { http, grpc } = await listening(service);
  const client = createGreeterClient({ target: grpc, timeoutMs: 10_000 });
  t.teardown(() => client.close());
  t.is((await send(http, "/Bob", { accept: "text/plain" })).body, "Hi, Bob!\n");
  t.is(await client.greet("Bob"), "Hi, Bob!");

  const json = JSON.parse((await send(http, "/version", { accept: "application/json" })).body) as object;
  const { runtime, dependencies, settings } = await client.version();
  t.like(json, { runtime, settings });
  t.is((json as { dependencies: unknown[] }).dependencies.length, dependencies.length);
});

test("call greets and tells the version through the server", async (t) => {
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

test("call says in one line which server it can't reach", async (t) => {
  const { code, stdout, stderr } = await greeter("call", "greet", "--target", "127.0.0.1:1");
  t.is(code, 1);
  t.is(stdout, "");
  t.regex(stderr, /^call: 127\.0\.0\.1:1 is unavailable: .*\n$/);
});

test("call gives up on a server that does not answer", async (t) => {
  const silent = createServer();
  t.teardown(() => silent.close());
  const target = formatAddress(await listen(silent, { host: "127.0.0.1", port: 0 }));
  const { code, stderr } = await greeter("call", "greet", "--target", target, "--timeout", "200ms");
  t.is(code, 1);
  t.is(stderr, `call: no answer from ${target} within 200 ms\n`);
});

for (const flag of ["--addr", "--grpc-addr", "--admin-addr"]) {
  test(`a port in use (${flag}) ends it with one line and exit code 1, and leaves no other port open`, async (t) => {
    const other = createServer();
    t.teardown(() => other.close());
    const address = formatAddress(await listen(other, { host: "127.0.0.1", port: 0 }));
    const { code, err } = await serveProcess(t, [flag, address]).ended;
    t.is(code, 1);
    t.is(err, `serve: cannot listen on ${address}: it is in use\n`);
  });
}

test("a bad setting ends it before any port is bound", async (t) => {
  const service = serveProcess(t, [], { env: { GREETER_LOG_LEVEL: "loud" } });
  const { code, err } = await service.ended;
  t.is(code, 2);
  t.is(
    err,
    'serve: invalid GREETER_LOG_LEVEL "loud": expected one of trace, debug, info, warn, error, fatal, silent\n',
  );
  t.deepEqual(service.lines, []);
});
