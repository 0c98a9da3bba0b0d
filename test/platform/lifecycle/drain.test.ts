import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import test from "ava";
import type { ExecutionContext } from "ava";
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../../src/gen/health/v1/health_pb.ts";
import { createContext } from "../../../src/platform/context.ts";
import { createGrpcClient } from "../../../src/platform/grpc/client.ts";
import { ItemService } from "../../fixtures/gen/fixture/v1/item_pb.ts";
import { LARGE_BODY_SIZE } from "../../fixtures/routes.ts";
import { requestWhileStopped } from "../../backlog.ts";
import { fixture, listening, serveProcess } from "../../process.ts";
import type { LoggingProcess } from "../../process.ts";
import { frameClient, frameType } from "../grpc/frames.ts";
import type { FrameClient } from "../grpc/frames.ts";
import { send } from "../http/request.ts";

const draining = "Draining: not ready, still serving";
const closing = "Closing: no new connections, finishing requests in flight";
const getItem = "/fixture.v1.ItemService/GetItem";

function serve(t: ExecutionContext, ...flags: string[]): LoggingProcess {
  return serveProcess(t, flags, { program: fixture });
}

function healthClient(t: ExecutionContext, target: string): Client<typeof Health> {
  const baseUrl = `http://${target}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  t.teardown(() => sessionManager.abort());
  return createClient(Health, createGrpcTransport({ baseUrl, sessionManager }));
}

/** Connects a client whose flow control allows the server to send no message. */
function unreadingClient(grpc: string): FrameClient {
  const client = frameClient(grpc);
  // SETTINGS_INITIAL_WINDOW_SIZE = 0
  client.send({ type: frameType.settings, flags: 0, stream: 0, payload: Buffer.from([0, 4, 0, 0, 0, 0]) });
  return client;
}

/** Resolves when the server has sent a frame on a stream. */
async function responding(client: FrameClient, stream: number): Promise<void> {
  while (!client.frames.some((frame) => frame.stream === stream)) await client.next();
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`the service drains on ${signal}, logs each step in order, and exits with 0`, async (t) => {
    const service = serve(t, "--drain-delay", "50ms", "--drain-timeout", "3s");
    await listening(service);
    await service.logged(({ msg }) => msg === "Serving");
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

test("during the drain delay every health surface reports the drain, and both protocols still answer", async (t) => {
  const service = serve(t, "--drain-delay", "1h");
  const { http, grpc, admin } = await listening(service);
  const health = healthClient(t, grpc);
  const client = createGrpcClient(ItemService, { target: grpc });
  t.teardown(() => client.close());
  await service.logged(({ msg }) => msg === "Serving");

  const watched = health.watch({})[Symbol.asyncIterator]();
  t.is((await watched.next()).value?.status, ServingStatus.SERVING);
  t.is((await health.check({})).status, ServingStatus.SERVING);
  t.is((await send(admin, "/readyz")).status, 200);

  service.kill("SIGTERM");
  t.is((await watched.next()).value?.status, ServingStatus.NOT_SERVING);
  t.is((await health.check({ service: "fixture.v1.ItemService" })).status, ServingStatus.NOT_SERVING);
  t.is((await send(admin, "/readyz")).status, 503);
  t.is((await send(admin, "/livez")).status, 200);
  t.like(await client.call(ItemService.method.getItem, { id: "Bob" }, createContext()), { text: "Item Bob" });
  t.like(await send(http, "/items/Bob", { accept: "text/plain" }), { status: 200, body: "Item Bob\n" });
});

test("after the drain delay a health watch ends with UNAVAILABLE", async (t) => {
  const service = serve(t, "--drain-delay", "100ms");
  const { grpc } = await listening(service);
  await service.logged(({ msg }) => msg === "Serving");
  const watched = healthClient(t, grpc).watch({})[Symbol.asyncIterator]();
  t.is((await watched.next()).value?.status, ServingStatus.SERVING);
  service.kill("SIGTERM");
  t.is((await watched.next()).value?.status, ServingStatus.NOT_SERVING);
  const ended = t.throwsAsync(async () => watched.next(), { instanceOf: ConnectError });
  t.is((await ended).code, Code.Unavailable);
  t.like(await service.ended, { code: 0 });
});

test("a call that outlasts the drain timeout is cut off and counted, and the exit code is 1", async (t) => {
  const service = serve(t, "--drain-timeout", "300ms");
  const { grpc } = await listening(service);
  const client = frameClient(grpc);
  client.open(getItem);
  const answered = client.call(getItem, Buffer.alloc(0));
  while (!client.isAnswered(answered)) await client.next();
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 1 });
  t.like(service.lines.at(-1), { msg: "Stopped", cut: 1, code: 1 });
  t.true(
    service.lines.some(
      ({ level, msg, ...line }) =>
        level === "warn" &&
        msg === "Closed: the drain timeout passed, requests in flight were cut off" &&
        line["protocol"] === "grpc",
    ),
  );
});

test("a gRPC client that never reads its response does not stall the drain", async (t) => {
  const service = serve(t, "--drain-timeout", "300ms");
  const { grpc } = await listening(service);
  const client = unreadingClient(grpc);
  await responding(client, client.call(getItem, Buffer.alloc(0)));
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 1 });
  t.like(service.lines.at(-1), { cut: 1 });
});

/** Sends three requests on one connection, and reads nothing after the start of the first response, which fits into no buffer. */
async function unreadingHttpClient(http: string): Promise<Socket> {
  const socket = connect(Number(new URL(http).port), "127.0.0.1");
  socket.on("error", () => {});
  const paths = ["/large", "/items/a", "/items/b"];
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(""));
  await once(socket, "readable");
  return socket;
}

test("an HTTP client that never reads its responses does not stall the drain", async (t) => {
  const service = serve(t, "--drain-timeout", "300ms");
  const { http } = await listening(service);
  await unreadingHttpClient(http);
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 1 });
  t.like(service.lines.at(-1), { cut: 3 });
});

test("an HTTP client that reads its responses only during the drain gets all of them", async (t) => {
  const service = serve(t, "--drain-timeout", "1h");
  const { http } = await listening(service);
  const socket = await unreadingHttpClient(http);
  service.kill("SIGTERM");
  await service.logged(({ msg }) => msg === closing);
  const read = Buffer.concat((await socket.toArray()) as Buffer[]);
  const bodyStart = read.indexOf("\r\n\r\n") + 4;
  t.regex(read.toString("latin1", 0, bodyStart), /^HTTP\/1\.1 200 /);
  const others = read.toString("latin1", bodyStart + LARGE_BODY_SIZE);
  t.is(others.match(/HTTP\/1\.1 200 OK\r\n/g)?.length, 2);
  t.true(others.endsWith("<h1>Item b</h1>"));
  t.like(await service.ended, { code: 0 });
  t.like(service.lines.at(-1), { cut: 0 });
});

test("every client that has connected before the port is closed gets a response", async (t) => {
  const service = serve(t);
  const { http } = await listening(service);
  await service.logged(({ msg }) => msg === "Serving");
  const statusLines = await requestWhileStopped(service, http, "/items/Ada");
  t.deepEqual(statusLines, Array<string>(30).fill("HTTP/1.1 200 OK"));
  t.like(await service.ended, { code: 0, err: "" });
});

test("an HTTP client that sends its request after the port is closed gets a response", async (t) => {
  const service = serve(t);
  const { http } = await listening(service);
  await service.logged(({ msg }) => msg === "Serving");
  const socket = connect(Number(new URL(http).port), "127.0.0.1");
  await once(socket, "connect");
  service.kill("SIGTERM");
  await service.logged(({ msg }) => msg === closing);
  socket.write("GET /items/Ada HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n");
  t.regex((await socket.toArray()).join(""), /^HTTP\/1\.1 200 [\s\S]*\r\nConnection: close\r\n[\s\S]*Item Ada\n$/);
  t.like(await service.ended, { code: 0, err: "" });
});

/** Text that a client sends, and the port that it sends it to. Afterwards it neither sends nor closes. */
const lingering: Record<string, { protocol: "http" | "grpc"; text: string }> = {
  "sends nothing to the gRPC port": { protocol: "grpc", text: "" },
  "sends only the preface to the gRPC port": {
    protocol: "grpc",
    text: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
  },
  "sends nothing to the HTTP port": { protocol: "http", text: "" },
  "sends half a request": { protocol: "http", text: "GET / HTTP/1.1\r\nHo" },
  "never sends the body that it announced": {
    protocol: "http",
    text: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n",
  },
  "asked for a tunnel": { protocol: "http", text: "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n" },
};
for (const [title, { protocol, text }] of Object.entries(lingering)) {
  test(`a client that ${title}, and never closes its side, does not stall the drain`, async (t) => {
    const service = serve(t, "--drain-timeout", "1h");
    const { http, grpc } = await listening(service);
    const { port } = new URL(protocol === "http" ? http : `http://${grpc}`);
    const socket = connect({ port: Number(port), host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {}).resume();
    t.teardown(() => socket.destroy());
    socket.write(text);
    await once(socket, "connect");
    t.is((await send(http, "/")).status, 200);
    service.kill("SIGTERM");
    t.like(await service.ended, { code: 0, err: "" });
    t.like(service.lines.at(-1), { msg: "Stopped", cut: 0, code: 0 });
  });
}

test("a health watch whose client reads nothing does not stall the drain, and is not counted as cut off", async (t) => {
  const service = serve(t, "--drain-timeout", "1h");
  const { grpc } = await listening(service);
  const client = unreadingClient(grpc);
  await responding(client, client.call("/grpc.health.v1.Health/Watch", Buffer.alloc(0)));
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0 });
  t.like(service.lines.at(-1), { cut: 0 });
});

for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  test(`a second signal (${signal}) ends the process at once with ${code}`, async (t) => {
    const service = serve(t, "--drain-delay", "1h");
    await listening(service);
    await service.logged(({ msg }) => msg === "Serving");
    service.kill("SIGTERM");
    await service.logged(({ msg }) => msg === draining);
    service.kill(signal as NodeJS.Signals);
    t.deepEqual(await service.ended, { code, signal: null, err: "" });
  });
}

test("a parent that closes the pipe of the log does not end the service", async (t) => {
  const service = serve(t);
  const { http } = await listening(service);
  service.closeOutput();
  t.is((await send(http, "/")).status, 200);
  service.kill("SIGTERM");
  t.deepEqual(await service.ended, { code: 0, signal: null, err: "" });
});
