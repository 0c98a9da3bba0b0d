import { once } from "node:events";
import { connect, sensitiveHeaders } from "node:http2";
import type { IncomingHttpHeaders } from "node:http2";
import { status } from "@grpc/grpc-js";
import test from "ava";
import { call, CHECK, GET_ITEM, itemRequest } from "../grpc/call.ts";
import type { CallEnd } from "../grpc/call.ts";
import { frameClient } from "../grpc/frames.ts";
import { serveGrpc } from "../grpc/serve.ts";

const METHOD = GET_ITEM.slice(1);
const DURATION = "rpc_server_call_duration_seconds_count";

const series = (method: string, code: string, error?: string): string =>
  `rpc_system_name="grpc",rpc_method="${method}",rpc_status_code="${code}"` +
  (error === undefined ? "" : `,error_type="${error}"`);

const requestIdOf = ({ metadata }: CallEnd): string | undefined => metadata.get("x-request-id")[0]?.toString();

test("a call is a line of the log when it ends, with the same fields as a request", async (t) => {
  const { target, logged } = await serveGrpc(t);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const start = performance.now();
  const ended = await call(t, target, {
    message: itemRequest("Bob"),
    headers: { "x-request-id": "order-66", traceparent },
  });
  t.is(requestIdOf(ended), "order-66");
  const { time, duration_ms, peer, ...line } = await logged(({ msg }) => msg === "Call");
  t.deepEqual(line, {
    level: "info",
    protocol: "grpc",
    method: METHOD,
    status: "OK",
    bytes: "Item Bob".length + 2 + 5,
    request_id: "order-66",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
    msg: "Call",
  });
  t.true(Number(duration_ms) > 0 && Number(duration_ms) <= performance.now() - start);
  t.regex(String(peer), /^127\.0\.0\.1:\d+$/);
  t.false(Number.isNaN(Date.parse(String(time))));
});

const CREATE_ITEM = "/fixture.v1.ItemService/CreateItem";
const results = [
  { path: CREATE_ITEM, method: CREATE_ITEM.slice(1), code: status.OK, level: "info" },
  { path: GET_ITEM, message: itemRequest(""), method: METHOD, code: status.INVALID_ARGUMENT, level: "warn" },
  { path: "/x.Y/Z", method: "_OTHER", code: status.UNIMPLEMENTED, error: true, level: "warn" },
  { path: CHECK, method: CHECK.slice(1), code: status.OK, level: "debug" },
];
for (const { path, message, method, code, error, level } of results) {
  test(`${path} that ends with ${status[code]} is counted and logged as ${method}`, async (t) => {
    const { target, logged, samples } = await serveGrpc(t);
    const ended = await call(t, target, { path, ...(message && { message }) });
    t.is(ended.code, code);
    const line = await logged(({ msg }) => msg === "Call");
    t.like(line, { method, status: status[code], level });
    t.is(line["path"], method === "_OTHER" ? path : undefined);
    t.is(line["request_id"], requestIdOf(ended));
    t.is(samples(DURATION)[series(method, status[code], error ? status[code] : undefined)], 1);
    t.is(samples("rpc_server_active_calls")[`rpc_system_name="grpc",rpc_method="${method}"`], 0);
  });
}

test("an internal failure is logged with its cause, and with the request id that the caller gets", async (t) => {
  const { target, logged, samples } = await serveGrpc(t);
  const requestId = requestIdOf(await call(t, target, { message: itemRequest("crash") }));
  const failure = await logged(({ msg }) => msg === "Request failed");
  t.like(failure, { level: "error", request: METHOD, request_id: requestId });
  t.regex(JSON.stringify(failure["err"]), /Crashed as asked/);
  t.like(await logged(({ msg }) => msg === "Call"), { level: "warn", status: "INTERNAL", request_id: requestId });
  t.is(samples(DURATION)[series(METHOD, "INTERNAL", "INTERNAL")], 1);
  await call(t, target, { message: itemRequest("fail UNAVAILABLE") });
  t.like(await logged((line) => line["status"] === "UNAVAILABLE"), { level: "warn" });
});

test("a malformed request id is replaced", async (t) => {
  const { target } = await serveGrpc(t);
  const ended = await call(t, target, { headers: { "x-request-id": "a b" } });
  t.regex(requestIdOf(ended) ?? "", /^[\da-f-]{36}$/);
});

test("HPACK does not index the request id", async (t) => {
  const { target } = await serveGrpc(t);
  const session = connect(`http://${target}`);
  t.teardown(() => session.destroy());
  const stream = session.request({ ":method": "POST", ":path": CHECK, "content-type": "application/grpc" });
  const response = once(stream, "response") as Promise<[IncomingHttpHeaders & { [sensitiveHeaders]?: string[] }]>;
  // An empty message.
  stream.end(Buffer.alloc(5));
  const [headers] = await response;
  t.deepEqual(headers[sensitiveHeaders], ["x-request-id"]);
});

test("a call whose client leaves before the response is CANCELLED, and no error", async (t) => {
  const { target, logged, samples } = await serveGrpc(t);
  const client = frameClient(target);
  client.open(GET_ITEM);
  // The server reads the calls of a connection in their order.
  const next = client.call(CHECK, Buffer.alloc(0));
  while (!client.isAnswered(next)) await client.next();
  const active = `rpc_system_name="grpc",rpc_method="${METHOD}"`;
  t.is(samples("rpc_server_active_calls")[active], 1);
  client.destroy();
  t.like(await logged((line) => line["method"] === METHOD), { status: "CANCELLED", level: "info", bytes: 0 });
  t.is(samples(DURATION)[series(METHOD, "CANCELLED")], 1);
  t.is(samples("rpc_server_active_calls")[active], 0);
});

test("a path cannot control the terminal that shows the log", async (t) => {
  const { target, logged } = await serveGrpc(t);
  const session = connect(`http://${target}`);
  t.teardown(() => session.destroy());
  const path = Buffer.from("/\u009b31m\u00e9").toString("latin1");
  session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" }).on("error", () => {});
  const { path: shown } = await logged(({ msg }) => msg === "Call");
  t.regex(String(shown), /^\/[\x20-\x7e]*\\u009b31m/);
});
