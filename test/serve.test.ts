import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { Client, credentials, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import test from "ava";
import { formatAddress } from "../src/platform/config/address.ts";
import { listen } from "../src/platform/lifecycle/listen.ts";
import { createGreeterClient } from "../src/greeter/client.ts";
import { frameClient, frameType } from "./platform/grpc/frames.ts";
import type { FrameClient } from "./platform/grpc/frames.ts";
import { send } from "./platform/http/request.ts";
import { checkout, listening, serveProcess } from "./process.ts";

const root = join(import.meta.dirname, "..");

test("without build information it serves all the same: Version fails alone, and the log tells why", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "greeter-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, "src"), join(folder, "src"), { recursive: true });
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));

  const service = serveProcess(t, [], { program: [join(folder, "src/main.ts")] });
  const { http, grpc } = await listening(service);
  const client = createGreeterClient({ target: grpc, timeoutMs: 10_000 });
  t.teardown(() => client.close());
  t.is(await client.greet("Bob"), "Hello, Bob!");
  await t.throwsAsync(client.version(), { message: /^INTERNAL: Internal error \(request id [\w-]+\)$/ });
  t.is((await send(http, "/version")).status, 500);

  t.like(await service.logged(({ level }) => level === "warn"), { msg: "No build information" });
  const failed = (request: string): Promise<unknown> =>
    service.logged(({ level, msg, ...line }) => level === "error" && line["request"] === request);
  t.like(await failed("GET /version"), { msg: "Request failed" });
  t.like(await failed("greeter.v1.GreeterService/Version"), { msg: "Request failed" });
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
});

test("logs nothing less severe than it is told to", async (t) => {
  const finder = createServer();
  const address = await listen(finder, { host: "127.0.0.1", port: 0 });
  finder.close();
  const service = serveProcess(t, ["--log-level", "warn", "--addr", formatAddress(address)]);
  const serving = async (): Promise<boolean> => {
    try {
      return (await send(`http://${formatAddress(address)}`, "/")).status === 200;
    } catch {
      return false;
    }
  };
  while (!(await serving())) await sleep(20);
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
  t.deepEqual(service.lines, []);
});

test("--no-reflection keeps the contract from gRPC clients", async (t) => {
  const { grpc } = await listening(serveProcess(t, ["--no-reflection"]));
  const client = new Client(grpc, credentials.createInsecure());
  t.teardown(() => client.close());
  const asIs = (bytes: Buffer): Buffer => bytes;
  const call = client.makeBidiStreamRequest("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", asIs, asIs);
  const [error] = (await once(call, "error")) as [ServiceError];
  t.is(error.code, status.UNIMPLEMENTED);
});

/** Node shares ports on Linux, FreeBSD and a few others, but not on macOS and Windows. */
const testSharing = process.platform === "linux" ? test : test.skip;

testSharing("--reuse-port shares the HTTP and gRPC ports between processes, but not the admin port", async (t) => {
  const first = await listening(serveProcess(t, ["--reuse-port"]));
  const ports = ["--addr", new URL(first.http).host, "--grpc-addr", first.grpc];
  const second = await listening(serveProcess(t, [...ports, "--reuse-port"]));
  t.is(second.http, first.http);
  t.is(second.grpc, first.grpc);
  t.not(second.admin, first.admin);
  t.is((await send(first.http, "/")).status, 200);

  const { code, err } = await serveProcess(t, ports).ended;
  t.is(code, 1);
  t.is(err, `serve: cannot listen on ${first.grpc}: it is in use\n`);
  const admin = ["--admin-addr", new URL(first.admin).host];
  const { err: adminError } = await serveProcess(t, [...ports, ...admin, "--reuse-port"]).ended;
  t.is(adminError, `serve: cannot listen on ${new URL(first.admin).host}: it is in use\n`);
});

const greet = "/greeter.v1.GreeterService/Greet";

/** Settings of connections, a client that one of them closes, and how many milliseconds that takes at least. */
const closing: { flags: string[]; join: (grpc: string) => FrameClient; atLeast: number }[] = [
  {
    flags: ["--grpc-max-connection-age", "300ms", "--grpc-max-connection-age-grace", "300ms"],
    join: (grpc) => {
      const client = frameClient(grpc);
      client.open(greet);
      return client;
    },
    atLeast: 500,
  },
  { flags: ["--grpc-max-connection-idle", "300ms"], join: (grpc) => frameClient(grpc), atLeast: 290 },
  {
    flags: ["--grpc-keepalive-time", "200ms", "--grpc-keepalive-timeout", "300ms"],
    join: (grpc) => frameClient(grpc, { silent: true }),
    atLeast: 490,
  },
];
for (const { flags, join, atLeast } of closing) {
  test(`${flags.join(" ")} closes a connection, and not too soon`, async (t) => {
    const { grpc } = await listening(serveProcess(t, flags));
    const start = performance.now();
    await join(grpc).closed;
    t.true(performance.now() - start >= atLeast);
  });
}

const http: { flags: string[]; request: string; answer: RegExp }[] = [
  { flags: ["--http-keep-alive-timeout", "300ms"], request: "GET / HTTP/1.1\r\nHost: x\r\n\r\n", answer: / 200 OK/ },
  { flags: ["--http-headers-timeout", "300ms"], request: "GET / HTTP/1.1\r\n", answer: / 408 Request Timeout/ },
];
for (const { flags, request, answer } of http) {
  test(`${flags.join(" ")} closes a connection, and not too soon`, async (t) => {
    const { http: origin } = await listening(serveProcess(t, flags));
    const start = performance.now();
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.write(request);
    t.regex(await text(socket), answer);
    t.true(performance.now() - start >= 290);
  });
}

test("--max-in-flight counts both protocols together, and neither health nor the admin port is refused for it", async (t) => {
  // With greetings that take their time.
  const program = ["--import", join(root, "bench/slow.ts"), ...checkout];
  const { http, grpc, admin } = await listening(serveProcess(t, ["--max-in-flight", "1"], { program }));
  const client = frameClient(grpc);
  t.teardown(() => client.destroy());
  const calls = Array.from({ length: 10 }, () => client.call("/greeter.v1.GreeterService/Greet", Buffer.alloc(0)));
  const answers = Promise.all(Array.from({ length: 10 }, () => send(http, "/")));
  const check = client.call("/grpc.health.v1.Health/Check", Buffer.alloc(0));
  t.is((await send(admin, "/readyz")).status, 200);
  const statuses = (await answers).map(({ status }) => status);
  while (![...calls, check].every((stream) => client.isAnswered(stream))) await client.next();

  t.true(statuses.includes(503));
  t.true(statuses.every((status) => status === 200 || status === 503));
  // What is refused has no message.
  const greeted = calls.filter((stream) =>
    client.frames.some((frame) => frame.stream === stream && frame.type === frameType.data),
  );
  t.true(greeted.length < calls.length);
  t.true(greeted.length + statuses.filter((status) => status === 200).length >= 1);
  t.true(client.frames.some(({ stream, type }) => stream === check && type === frameType.data));
  t.is((await send(http, "/")).status, 200);
});
