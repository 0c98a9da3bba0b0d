import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { promisify } from "node:util";
import test from "ava";
import type { ExecutionContext } from "ava";
import { formatAddress } from "../../../src/platform/config/address.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
import { send } from "../http/request.ts";
import { checkout, listening, serveProcess } from "../../process.ts";
import { receiveTraces } from "./receiver.ts";

const caller = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
const traceparent = `00-${caller.trace}-${caller.span}-01`;

/** Calls a server with the command line. */
async function call(target: string, env: NodeJS.ProcessEnv): Promise<{ stdout: string; stderr: string }> {
  const args = [...checkout, "call", "greet", "Bob", "--target", target];
  return await promisify(execFile)(process.execPath, args, { env: { PATH: process.env["PATH"], ...env } });
}

/** An address that takes connections and says nothing, as a collector that hangs. */
async function silent(t: ExecutionContext): Promise<string> {
  const server = createServer();
  const address = await listen(server, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.close());
  return `http://${formatAddress(address)}`;
}

/** An address at which nobody listens. */
async function nobody(): Promise<string> {
  const server = createServer();
  const address = await listen(server, { host: "127.0.0.1", port: 0 });
  server.close();
  await once(server, "close");
  return `http://${formatAddress(address)}`;
}

test("one trace reaches from `greeter call` to the gRPC server", async (t) => {
  const { env, received } = await receiveTraces(t);
  const service = serveProcess(t, [], { env });
  const { grpc } = await listening(service);
  t.is((await call(grpc, { ...env, TRACEPARENT: traceparent, TRACESTATE: "vendor=1" })).stdout, "Hello, Bob!\n");
  service.kill("SIGTERM");

  const client = await received(({ kind }) => kind === "SPAN_KIND_CLIENT");
  const [host, port] = grpc.split(":");
  t.like(client, {
    traceId: caller.trace,
    parentSpanId: caller.span,
    name: "greeter.v1.GreeterService/Greet",
    traceState: "vendor=1",
    attributes: {
      "rpc.system.name": "grpc",
      "rpc.method": "greeter.v1.GreeterService/Greet",
      "rpc.status_code": "OK",
      "server.address": host,
      "server.port": port,
    },
  });
  const server = await received(({ kind }) => kind === "SPAN_KIND_SERVER");
  t.like(server, {
    traceId: caller.trace,
    parentSpanId: client.spanId,
    name: "greeter.v1.GreeterService/Greet",
    traceState: "vendor=1",
    attributes: { "rpc.method": "greeter.v1.GreeterService/Greet", "rpc.status_code": "OK" },
    resource: { "service.name": "greeter", "service.version": "0.1.0" },
  });
  t.is(server.status?.code, undefined);
  const line = await service.logged(({ msg }) => msg === "Call");
  t.like(line, { trace_id: caller.trace, span_id: server.spanId });
});

test("a trace is continued over HTTP, and tells a request by the conventions", async (t) => {
  const { env, received } = await receiveTraces(t);
  const service = serveProcess(t, [], { env: { ...env, OTEL_SERVICE_NAME: "canary" } });
  const { http } = await listening(service);
  await send(http, "/Bob?x=1", { headers: { traceparent, "User-Agent": "test/1" } });
  service.kill("SIGTERM");
  const span = await received(() => true);
  t.like(span, {
    traceId: caller.trace,
    parentSpanId: caller.span,
    name: "GET /{name}",
    kind: "SPAN_KIND_SERVER",
    attributes: {
      "http.request.method": "GET",
      "http.route": "/{name}",
      "http.response.status_code": "200",
      "url.scheme": "http",
      "url.path": "/Bob",
      "url.query": "x=1",
      "network.protocol.version": "1.1",
      "network.peer.address": "127.0.0.1",
      "user_agent.original": "test/1",
    },
    resource: { "service.name": "canary" },
  });
  t.like(await service.logged(({ msg }) => msg === "Request"), { trace_id: caller.trace, span_id: span.spanId });
});

test("a trace that was not sampled stays so, and a malformed one begins anew", async (t) => {
  const { env, spans } = await receiveTraces(t);
  const service = serveProcess(t, [], { env });
  const { http } = await listening(service);
  await send(http, "/unsampled", { headers: { traceparent: traceparent.replace(/01$/, "00") } });
  await send(http, "/malformed", { headers: { traceparent: traceparent.toUpperCase() } });
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
  t.deepEqual(
    spans.map(({ attributes }) => attributes["url.path"]),
    ["/malformed"],
  );
  t.not(spans[0]!.traceId, caller.trace);
  t.is(spans[0]!.parentSpanId, undefined);
});

test("only what is the server's own error is one on its span; to the client every one is", async (t) => {
  const { env, received } = await receiveTraces(t);
  const service = serveProcess(t, [], { env });
  const { grpc, http } = await listening(service);
  const args = [...checkout, "call", "greet", "--target", grpc, ""];
  await t.throwsAsync(promisify(execFile)(process.execPath, args, { env: { PATH: process.env["PATH"], ...env } }));
  await send(http, "/%zz");
  service.kill("SIGTERM");
  const client = await received(({ kind }) => kind === "SPAN_KIND_CLIENT");
  t.like(client, { status: { code: "STATUS_CODE_ERROR" }, attributes: { "error.type": "INVALID_ARGUMENT" } });
  for (const name of ["greeter.v1.GreeterService/Greet", "GET /{name}"]) {
    const server = await received((span) => span.kind === "SPAN_KIND_SERVER" && span.name === name);
    t.is(server.status?.code, undefined, name);
    t.is(server.attributes["error.type"], undefined, name);
  }
});

test("the spans of the drain arrive, those of what was cut off too", async (t) => {
  const { env, spans } = await receiveTraces(t);
  const service = serveProcess(t, ["--drain-timeout", "1s"], { env });
  const { grpc, http } = await listening(service);
  const { frameClient } = await import("../grpc/frames.ts");
  const client = frameClient(grpc);
  client.open("/greeter.v1.GreeterService/Greet");
  await send(http, "/before");
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 1, err: "" });
  t.like(service.lines.at(-1), { msg: "Stopped", cut: 1 });
  const cut = spans.find(({ name }) => name === "greeter.v1.GreeterService/Greet");
  t.like(cut, { attributes: { "rpc.status_code": "CANCELLED" } });
  t.true(spans.some(({ attributes }) => attributes["url.path"] === "/before"));
});

for (const [what, endpoint] of [
  ["hangs", silent],
  ["is not there", nobody],
] as const) {
  test(`a receiver that ${what} delays no request, and the exit no further than the drain's deadline`, async (t) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: await endpoint(t), OTEL_BSP_SCHEDULE_DELAY: "50" };
    const service = serveProcess(t, ["--drain-timeout", "1s"], { env });
    const { http, grpc } = await listening(service);
    for (let count = 0; count < 20; count++) t.is((await send(http, "/Bob")).status, 200);
    const stdout = (await call(grpc, env)).stdout;
    t.is(stdout, "Hello, Bob!\n");
    const draining = service.logged(({ msg }) => msg.startsWith("Closing"));
    service.kill("SIGTERM");
    const begin = Date.parse(String((await draining)["time"]));
    t.like(await service.ended, { code: 0, err: "" });
    const { msg, time } = service.lines.at(-1)!;
    t.is(msg, "Stopped");
    const took = Date.parse(String(time)) - begin;
    t.true(took >= 900 && took < 5000, `${took} ms`);
    t.true(service.lines.some((line) => line.level === "warn" && /not delivered/.test(line.msg)));
  });
}

test("a receiver that refuses spans is told of in the log, and changes nothing", async (t) => {
  const { env } = await receiveTraces(t, (response) => response.writeHead(403).end("No"));
  const service = serveProcess(t, [], { env: { ...env, OTEL_BSP_SCHEDULE_DELAY: "50" } });
  const { http } = await listening(service);
  t.is((await send(http, "/Bob")).status, 200);
  t.like(await service.logged(({ level }) => level === "warn"), { level: "warn" });
  t.is((await send(http, "/Bob")).status, 200);
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
});

const wrong = [
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" },
    /invalid OTEL_EXPORTER_OTLP_ENDPOINT "collector:4318": expected an http/,
  ],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    /invalid OTEL_EXPORTER_OTLP_PROTOCOL "grpc": expected http\/protobuf/,
  ],
] as const;
for (const [env, message] of wrong) {
  test(`${Object.entries(env).join(" ")} ends it before any port is open, with exit code 2`, async (t) => {
    const service = serveProcess(t, [], { env });
    const { code, err } = await service.ended;
    t.is(code, 2);
    t.regex(err, message);
    t.deepEqual(service.lines, []);
  });
}

test("no endpoint, an SDK that is disabled and an exporter of none all mean no tracing, and the caller's trace is logged", async (t) => {
  const { env, spans } = await receiveTraces(t);
  for (const off of [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "" },
    { OTEL_SDK_DISABLED: "true" },
    { OTEL_TRACES_EXPORTER: "none" },
  ]) {
    const service = serveProcess(t, [], { env: { ...env, ...off } });
    const { grpc } = await listening(service);
    await call(grpc, { TRACEPARENT: traceparent });
    t.like(await service.logged(({ msg }) => msg === "Call"), { trace_id: caller.trace, span_id: caller.span });
    service.kill("SIGTERM");
    t.like(await service.ended, { code: 0, err: "" });
  }
  t.deepEqual(spans, []);
});
