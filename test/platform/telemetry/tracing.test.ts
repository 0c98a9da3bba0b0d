import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { promisify } from "node:util";
import test from "ava";
import type { ExecutionContext } from "ava";
import { formatAddress } from "../../../src/platform/config/address.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
import { send } from "../http/request.ts";
import { identity } from "../../../src/platform/identity.ts";
import { fixture, listening, serveProcess } from "../../process.ts";
import type { LoggingProcess } from "../../process.ts";
import { CHECK, GET_ITEM } from "../grpc/call.ts";
import { frameClient } from "../grpc/frames.ts";
import { receiveTraces } from "./receiver.ts";
import type { ReceivedSpan, TraceReceiver } from "./receiver.ts";

const METHOD = GET_ITEM.slice(1);

const caller = { trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
const traceparent = `00-${caller.trace}-${caller.span}-01`;

function serve(t: ExecutionContext, env: NodeJS.ProcessEnv, ...flags: string[]): LoggingProcess {
  return serveProcess(t, flags, { program: fixture, env });
}

/** Calls GetItem from the command line. */
async function call(target: string, env: NodeJS.ProcessEnv, id = "Bob"): Promise<{ stdout: string; stderr: string }> {
  const args = [...fixture, "get", id, "--target", target];
  return await promisify(execFile)(process.execPath, args, { env: { PATH: process.env["PATH"], ...env } });
}

/** Runs a command until the collector has the span of its call: under load, the command ends before its export. */
async function clientSpan({ spans }: TraceReceiver, run: () => Promise<unknown>): Promise<ReceivedSpan> {
  for (;;) {
    await run();
    const span = spans.find(({ kind }) => kind === "SPAN_KIND_CLIENT");
    if (span) return span;
  }
}

/** Starts a server that accepts connections and never responds, as a collector that hangs. */
async function silent(t: ExecutionContext): Promise<string> {
  const server = createServer();
  const address = await listen(server, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.close());
  return `http://${formatAddress(address)}`;
}

/** Returns an address without a listener. */
async function closed(): Promise<string> {
  const server = createServer();
  const address = await listen(server, { host: "127.0.0.1", port: 0 });
  server.close();
  await once(server, "close");
  return `http://${formatAddress(address)}`;
}

test("a trace continues from the command line to the gRPC server", async (t) => {
  const receiver = await receiveTraces(t);
  const { env, received } = receiver;
  const service = serve(t, env);
  const { grpc } = await listening(service);
  const client = await clientSpan(receiver, async () => {
    const { stdout } = await call(grpc, { ...env, TRACEPARENT: traceparent, TRACESTATE: "vendor=1" });
    t.is(stdout, "Item Bob\n");
  });
  service.kill("SIGTERM");

  const [host, port] = grpc.split(":");
  t.like(client, {
    traceId: caller.trace,
    parentSpanId: caller.span,
    name: METHOD,
    traceState: "vendor=1",
    attributes: {
      "rpc.system.name": "grpc",
      "rpc.method": METHOD,
      "rpc.status_code": "OK",
      "server.address": host,
      "server.port": port,
    },
  });
  const server = await received(({ parentSpanId }) => parentSpanId === client.spanId);
  t.like(server, {
    kind: "SPAN_KIND_SERVER",
    traceId: caller.trace,
    name: METHOD,
    traceState: "vendor=1",
    attributes: { "rpc.method": METHOD, "rpc.status_code": "OK" },
    resource: { "service.name": identity.name, "service.version": "0.1.0" },
  });
  t.is(server.status?.code, undefined);
  t.like(await service.logged((line) => line["span_id"] === server.spanId), { msg: "Call", trace_id: caller.trace });
});

test("a trace continues over HTTP, and the span follows the semantic conventions", async (t) => {
  const { env, received } = await receiveTraces(t);
  const service = serve(t, { ...env, OTEL_SERVICE_NAME: "canary" });
  const { http } = await listening(service);
  await send(http, "/items/Bob?x=1", { headers: { traceparent, "User-Agent": "test/1" } });
  service.kill("SIGTERM");
  const span = await received(() => true);
  t.like(span, {
    traceId: caller.trace,
    parentSpanId: caller.span,
    name: "GET /items/{id}",
    kind: "SPAN_KIND_SERVER",
    attributes: {
      "http.request.method": "GET",
      "http.route": "/items/{id}",
      "http.response.status_code": "200",
      "url.scheme": "http",
      "url.path": "/items/Bob",
      "url.query": "x=1",
      "network.protocol.version": "1.1",
      "network.peer.address": "127.0.0.1",
      "user_agent.original": "test/1",
    },
    resource: { "service.name": "canary" },
  });
  t.like(await service.logged(({ msg }) => msg === "Request"), { trace_id: caller.trace, span_id: span.spanId });
});

test("a span has the address and the scheme of the client behind a trusted proxy", async (t) => {
  const { env, received } = await receiveTraces(t);
  const service = serve(t, env, "--trust-proxy", "127.0.0.0/8");
  const { http } = await listening(service);
  await send(http, "/items/Bob", { headers: { "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https" } });
  service.kill("SIGTERM");
  t.like(await received(() => true), {
    attributes: { "client.address": "203.0.113.7", "network.peer.address": "127.0.0.1", "url.scheme": "https" },
  });
});

test("an unsampled trace stays unsampled, and a malformed trace context starts a new trace", async (t) => {
  const { env, spans } = await receiveTraces(t);
  const service = serve(t, env);
  const { http } = await listening(service);
  await send(http, "/items/unsampled", { headers: { traceparent: traceparent.replace(/01$/, "00") } });
  await send(http, "/items/malformed", { headers: { traceparent: traceparent.toUpperCase() } });
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
  t.deepEqual(
    spans.map(({ attributes }) => attributes["url.path"]),
    ["/items/malformed"],
  );
  t.not(spans[0]!.traceId, caller.trace);
  t.is(spans[0]!.parentSpanId, undefined);
});

test("an error of the caller is no error on the server's span, and is one on the client's", async (t) => {
  const receiver = await receiveTraces(t);
  const { env, received } = receiver;
  const service = serve(t, env);
  const { grpc, http } = await listening(service);
  const client = await clientSpan(receiver, () => t.throwsAsync(call(grpc, env, "")));
  await send(http, "/items/fail%20INVALID_ARGUMENT");
  service.kill("SIGTERM");
  t.like(client, { status: { code: "STATUS_CODE_ERROR" }, attributes: { "error.type": "INVALID_ARGUMENT" } });
  for (const name of [METHOD, "GET /items/{id}"]) {
    const server = await received((span) => span.kind === "SPAN_KIND_SERVER" && span.name === name);
    t.is(server.status?.code, undefined, name);
    t.is(server.attributes["error.type"], undefined, name);
  }
});

test("the spans of the drain are exported, also those of the requests that were cut off", async (t) => {
  const { env, spans } = await receiveTraces(t);
  // The last second of the timeout is reserved for the export.
  const service = serve(t, env, "--drain-timeout", "5s");
  const { grpc, http } = await listening(service);
  const client = frameClient(grpc);
  client.open(GET_ITEM);
  // The server reads the calls of a connection in their order.
  const next = client.call(CHECK, Buffer.alloc(0));
  while (!client.isAnswered(next)) await client.next();
  await send(http, "/items/before");
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 1, err: "" });
  t.like(service.lines.at(-1), { msg: "Stopped", cut: 1 });
  const cut = spans.find(({ name }) => name === METHOD);
  t.like(cut, { attributes: { "rpc.status_code": "CANCELLED" } });
  t.true(spans.some(({ attributes }) => attributes["url.path"] === "/items/before"));
});

for (const [what, endpoint] of [
  ["hangs", silent],
  ["does not listen", closed],
] as const) {
  test(`a collector that ${what} delays no request, and the exit at most until the drain timeout`, async (t) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: await endpoint(t), OTEL_BSP_SCHEDULE_DELAY: "50" };
    const service = serve(t, env, "--drain-timeout", "1s");
    const { http, grpc } = await listening(service);
    t.is((await call(grpc, env)).stdout, "Item Bob\n");
    // Last, so that the export of their spans is not over before the drain.
    for (let count = 0; count < 20; count++) t.is((await send(http, "/items/Bob")).status, 200);
    service.kill("SIGTERM");
    t.like(await service.ended, { code: 0, err: "" });
    t.like(service.lines.at(-1), { msg: "Stopped" });
    t.like(service.lines.at(-2), { level: "warn", msg: "Telemetry not exported: the drain timeout passed" });
    // The export has as much time as the drain leaves.
    const closing = service.lines.find(({ msg }) => msg.startsWith("Closing"));
    const [start, end] = [closing, service.lines.at(-1)].map((line) => Date.parse(String(line!["time"])));
    t.true(end! - start! >= 900);
  });
}

test("a collector that rejects spans is logged, and does not affect the service", async (t) => {
  const { env } = await receiveTraces(t, (response) => response.writeHead(403).end("No"));
  const service = serve(t, { ...env, OTEL_BSP_SCHEDULE_DELAY: "50" });
  const { http } = await listening(service);
  t.is((await send(http, "/items/Bob")).status, 200);
  t.like(await service.logged(({ level }) => level === "warn"), { level: "warn" });
  t.is((await send(http, "/items/Bob")).status, 200);
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
});

const invalid = [
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" },
    /invalid OTEL_EXPORTER_OTLP_ENDPOINT "collector:4318": expected an http/,
  ],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    /invalid OTEL_EXPORTER_OTLP_PROTOCOL "grpc": expected http\/protobuf/,
  ],
] as const;
for (const [env, message] of invalid) {
  const variables = Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
  test(`${variables} ends the process with exit code 2 before any port is bound`, async (t) => {
    const service = serve(t, env);
    const { code, err } = await service.ended;
    t.is(code, 2);
    t.regex(err, message);
    t.deepEqual(service.lines, []);
  });
}

test("tracing is off without an endpoint, with a disabled SDK, and with the exporter none, and the log has the caller's trace", async (t) => {
  const { env, spans } = await receiveTraces(t);
  for (const off of [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "" },
    { OTEL_SDK_DISABLED: "true" },
    { OTEL_TRACES_EXPORTER: "none" },
  ]) {
    const service = serve(t, { ...env, ...off });
    const { grpc } = await listening(service);
    await call(grpc, { TRACEPARENT: traceparent });
    t.like(await service.logged(({ msg }) => msg === "Call"), { trace_id: caller.trace, span_id: caller.span });
    service.kill("SIGTERM");
    t.like(await service.ended, { code: 0, err: "" });
  }
  t.deepEqual(spans, []);
});
