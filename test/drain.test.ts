import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import test from "ava";
import type { ExecutionContext } from "ava";
import { GreetRequestSchema } from "../src/gen/greeter/v1/greeter_pb.ts";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../src/gen/health/v1/health_pb.ts";
import { createGreeterClient } from "../src/greeter/client.ts";
import { frameClient, frameType } from "./platform/grpc/frames.ts";
import { askWhileStopped } from "./backlog.ts";
import { send } from "./platform/http/request.ts";
import { listening, serveProcess } from "./process.ts";

const draining = "Draining: not ready any more, still serving";
const closing = "Closing: taking nothing new, finishing what is in flight";

function healthClient(t: ExecutionContext, target: string): Client<typeof Health> {
  const baseUrl = `http://${target}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  t.teardown(() => sessionManager.abort());
  return createClient(Health, createGrpcTransport({ baseUrl, sessionManager }));
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`drains on ${signal}, tells each step in order, and exits with 0`, async (t) => {
    const service = serveProcess(t, ["--drain-delay", "50ms", "--drain-timeout", "3s"]);
    await listening(service);
    service.kill(signal);
    t.deepEqual(await service.ended, { code: 0, signal: null, err: "" });
    const steps = service.lines.map(({ level, time, address, ...line }) => line);
    t.deepEqual(steps.slice(0, 6), [
      { protocol: "admin", msg: "Listening" },
      { protocol: "grpc", msg: "Listening" },
      { protocol: "http", msg: "Listening" },
      { msg: "Serving" },
      { reason: signal, delay_ms: 50, msg: draining },
      { timeout_ms: 3000, msg: closing },
    ]);
    t.deepEqual(
      steps.slice(6, 8).toSorted((a, b) => String(a["protocol"]).localeCompare(String(b["protocol"]))),
      [
        { protocol: "grpc", msg: "Closed" },
        { protocol: "http", msg: "Closed" },
      ],
    );
    t.deepEqual(steps.slice(8), [{ reason: signal, cut: 0, code: 0, msg: "Stopped" }]);
  });
}

test("while it drains, every health surface says so, and both protocols still answer", async (t) => {
  const service = serveProcess(t, ["--drain-delay", "2s"]);
  const { http, grpc, admin } = await listening(service);
  const health = healthClient(t, grpc);
  const client = createGreeterClient({ target: grpc, timeoutMs: 10_000 });
  t.teardown(() => client.close());
  await service.logged(({ msg }) => msg === "Serving");

  const watched = health.watch({})[Symbol.asyncIterator]();
  t.is((await watched.next()).value?.status, ServingStatus.SERVING);
  t.is((await health.check({})).status, ServingStatus.SERVING);
  t.is((await send(admin, "/readyz")).status, 200);

  service.kill("SIGTERM");
  t.is((await watched.next()).value?.status, ServingStatus.NOT_SERVING);
  t.is((await health.check({ service: "greeter.v1.GreeterService" })).status, ServingStatus.NOT_SERVING);
  t.is((await send(admin, "/readyz")).status, 503);
  t.is((await send(admin, "/livez")).status, 200);
  t.is(await client.greet("Bob"), "Hello, Bob!");
  t.like(await send(http, "/Bob", { accept: "text/plain" }), { status: 200, body: "Hello, Bob!\n" });

  const ended = t.throwsAsync(async () => watched.next(), { instanceOf: ConnectError });
  t.is((await ended).code, Code.Unavailable);
  t.like(await service.ended, { code: 0 });
});

test("a call that outlasts the drain timeout is cut off and counted, and the exit code is 1", async (t) => {
  const service = serveProcess(t, ["--drain-timeout", "300ms"]);
  const { grpc } = await listening(service);
  const client = frameClient(grpc);
  const greet = "/greeter.v1.GreeterService/Greet";
  client.open(greet);
  const answered = client.call(greet, Buffer.from(toBinary(GreetRequestSchema, create(GreetRequestSchema))));
  while (!client.isAnswered(answered)) await new Promise(setImmediate);
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 1 });
  t.like(service.lines.at(-1), { msg: "Stopped", cut: 1, code: 1 });
  t.true(
    service.lines.some(
      ({ level, msg, ...line }) =>
        level === "warn" &&
        msg === "Closed: the drain timeout passed, and what was left was cut off" &&
        line["protocol"] === "grpc",
    ),
  );
});

test("a gRPC client that never reads its answer does not stall the drain", async (t) => {
  const service = serveProcess(t, ["--drain-timeout", "300ms"]);
  const { grpc } = await listening(service);
  const client = frameClient(grpc);
  // SETTINGS_INITIAL_WINDOW_SIZE = 0: nothing may be sent.
  client.send({ type: frameType.settings, flags: 0, stream: 0, payload: Buffer.from([0, 4, 0, 0, 0, 0]) });
  const version = client.call("/greeter.v1.GreeterService/Version", Buffer.alloc(0));
  while (!client.frames.some(({ stream }) => stream === version)) await new Promise(setImmediate);
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 1 });
  t.like(service.lines.at(-1), { cut: 1 });
});

/** A client of HTTP that asks, and reads nothing, until answers wait in the service for room. */
async function stuckClient(http: string, admin: string): Promise<{ socket: Socket; requests: number }> {
  const socket = connect(Number(new URL(http).port), "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  let requests = 0;
  const waiting = async (): Promise<number> =>
    Number(/^http_server_active_requests\{.*\} (\d+)$/m.exec((await send(admin, "/metrics")).body)![1]);
  // An acknowledgement may come late, by 40 ms on Linux, and make room once more.
  for (let moved = performance.now(); performance.now() - moved < 250;) {
    if (socket.destroyed) throw new Error("The connection was closed: it had more requests at a time than it may");
    if ((await waiting()) > 0) continue;
    moved = performance.now();
    socket.write("GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
    requests++;
  }
  return { socket, requests };
}

// Where the system has large buffers, a thousand answers fit into them, and the connection would be closed before it is stuck.
const endless = ["--http-max-requests-per-connection", "1000000"];

test("an HTTP client that never reads its answers does not stall the drain", async (t) => {
  const service = serveProcess(t, ["--drain-timeout", "300ms", ...endless]);
  const { http, admin } = await listening(service);
  await stuckClient(http, admin);
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 1 });
  t.true(Number(service.lines.at(-1)?.["cut"]) >= 1);
});

test("everybody who has connected before the port is closed gets an answer", async (t) => {
  const service = serveProcess(t);
  const { http } = await listening(service);
  await service.logged(({ msg }) => msg === "Serving");
  const answers = await askWhileStopped(service, http);
  t.deepEqual(answers, Array<string>(30).fill("HTTP/1.1 200 OK"));
  t.like(await service.ended, { code: 0, err: "" });
});

test("an HTTP client that has just connected when the port is closed gets its answer", async (t) => {
  const service = serveProcess(t);
  const { http } = await listening(service);
  await service.logged(({ msg }) => msg === "Serving");
  const socket = connect(Number(new URL(http).port), "127.0.0.1");
  await once(socket, "connect");
  service.kill("SIGTERM");
  await service.logged(({ msg }) => msg === closing);
  socket.write("GET /Ada HTTP/1.1\r\nHost: here\r\nAccept: text/plain\r\n\r\n");
  t.regex((await socket.toArray()).join(""), /^HTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n[\s\S]*Hello, Ada!\n$/);
  t.like(await service.ended, { code: 0, err: "" });
});

test("an HTTP client that reads its answers only when the service drains gets them whole", async (t) => {
  const service = serveProcess(t, ["--drain-timeout", "1h", ...endless]);
  const { http, admin } = await listening(service);
  const { socket, requests } = await stuckClient(http, admin);
  service.kill("SIGTERM");
  await service.logged(({ msg }) => msg === closing);
  const read = (await socket.toArray()).join("");
  t.is(read.match(/^HTTP\/1\.1 200 /gm)?.length, requests);
  t.true(read.endsWith("</html>\n"));
  t.like(await service.ended, { code: 0 });
  t.like(service.lines.at(-1), { cut: 0 });
});

const lingering: Record<string, (ports: { http: number; grpc: number }) => Socket> = {
  "says nothing on the gRPC port": ({ grpc }) => connect({ port: grpc, host: "127.0.0.1", allowHalfOpen: true }),
  "says only hello on the gRPC port": ({ grpc }) => {
    const socket = connect({ port: grpc, host: "127.0.0.1", allowHalfOpen: true });
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    return socket;
  },
  "says nothing on the HTTP port": ({ http }) => connect({ port: http, host: "127.0.0.1", allowHalfOpen: true }),
  "sends half a request": ({ http }) => {
    const socket = connect({ port: http, host: "127.0.0.1", allowHalfOpen: true });
    socket.write("GET / HTTP/1.1\r\nHo");
    return socket;
  },
  "never sends the body that it announced": ({ http }) => {
    const socket = connect({ port: http, host: "127.0.0.1", allowHalfOpen: true });
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
    return socket;
  },
  "was refused a tunnel": ({ http }) => {
    const socket = connect({ port: http, host: "127.0.0.1", allowHalfOpen: true });
    socket.write("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n");
    return socket;
  },
};
for (const [what, join] of Object.entries(lingering)) {
  test(`a client that ${what}, and never closes its side, holds nothing up`, async (t) => {
    const service = serveProcess(t, ["--drain-timeout", "1h"]);
    const { http, grpc } = await listening(service);
    const port = (address: string): number => Number(new URL(address).port);
    const socket = join({ http: port(http), grpc: port(`http://${grpc}`) });
    socket.on("error", () => {}).resume();
    t.teardown(() => socket.destroy());
    await once(socket, "connect");
    t.is((await send(http, "/")).status, 200);
    service.kill("SIGTERM");
    t.like(await service.ended, { code: 0, err: "" });
    t.like(service.lines.at(-1), { msg: "Stopped", cut: 0, code: 0 });
  });
}

test("a health watcher that reads nothing holds nothing up, and is no call that was cut off", async (t) => {
  const service = serveProcess(t, ["--drain-timeout", "1h"]);
  const { grpc } = await listening(service);
  const client = frameClient(grpc);
  client.send({ type: frameType.settings, flags: 0, stream: 0, payload: Buffer.from([0, 4, 0, 0, 0, 0]) });
  const watch = client.call("/grpc.health.v1.Health/Watch", Buffer.alloc(0));
  while (!client.frames.some(({ stream }) => stream === watch)) await new Promise(setImmediate);
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0 });
  t.like(service.lines.at(-1), { cut: 0 });
});

for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  test(`a second signal (${signal}) ends it at once with ${code}`, async (t) => {
    const service = serveProcess(t, ["--drain-delay", "1h"]);
    await listening(service);
    service.kill("SIGTERM");
    await service.logged(({ msg }) => msg === draining);
    service.kill(signal as NodeJS.Signals);
    t.deepEqual(await service.ended, { code, signal: null, err: "" });
  });
}

test("a parent that closes its output does not end it", async (t) => {
  const service = serveProcess(t);
  const { http } = await listening(service);
  service.closeOutput();
  t.is((await send(http, "/")).status, 200);
  service.kill("SIGTERM");
  t.deepEqual(await service.ended, { code: 0, signal: null, err: "" });
});
