import { connect } from "node:http2";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import test from "ava";
import type { ExecutionContext } from "ava";
import { UnavailableError } from "../../../src/greeter/greeter.ts";
import { frameClient } from "../grpc/frames.ts";
import { serveGrpc } from "../grpc/serve.ts";

const GREET = "greeter.v1.GreeterService/Greet";
const DURATION = "rpc_server_call_duration_seconds_count";

const series = (method: string, code: string, error?: string): string =>
  `rpc_system_name="grpc",rpc_method="${method}",rpc_status_code="${code}"` +
  (error === undefined ? "" : `,error_type="${error}"`);

interface Ended {
  code: status;
  /** What came back beside the message. */
  requestId: string | undefined;
}

/** Makes a unary call with bytes for messages, and tells how it ended. */
function call(
  t: ExecutionContext,
  target: string,
  path: string,
  headers: Record<string, string> = {},
  message = "",
): Promise<Ended> {
  const client = new Client(target, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  t.teardown(() => client.close());
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const bytes = (value: string): Buffer => Buffer.from(value, "hex");
  return new Promise((resolve) => {
    let requestId: string | undefined;
    const read = (from: Metadata): void => void (requestId ??= from.get("x-request-id")[0]?.toString());
    const ended = (error: ServiceError | null): void => {
      if (error) read(error.metadata);
      resolve({ code: error?.code ?? status.OK, requestId });
    };
    client
      .makeUnaryRequest(`/${path}`, bytes, (buffer) => buffer.length, message, metadata, ended)
      .on("metadata", read);
  });
}

test("a call is a line of the log when it ends, with the same fields as a request", async (t) => {
  const { target, logged } = await serveGrpc(t);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const { requestId } = await call(t, target, GREET, { "x-request-id": "order-66", traceparent }, "0a03426f62");
  t.is(requestId, "order-66");
  const { time, duration_ms, peer, ...line } = await logged(({ msg }) => msg === "Call");
  t.deepEqual(line, {
    level: "info",
    protocol: "grpc",
    method: GREET,
    status: "OK",
    bytes: "Hello, Bob!".length + 2 + 5,
    request_id: "order-66",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
    msg: "Call",
  });
  t.true(Number(duration_ms) > 0 && Number(duration_ms) < 60_000);
  t.regex(String(peer), /^127\.0\.0\.1:\d+$/);
  t.false(Number.isNaN(Date.parse(String(time))));
});

const outcomes = [
  {
    path: "greeter.v1.GreeterService/Version",
    method: "greeter.v1.GreeterService/Version",
    code: status.OK,
    level: "info",
  },
  { path: GREET, message: "0a00", method: GREET, code: status.INVALID_ARGUMENT, level: "warn" },
  { path: "x.Y/Z", method: "_OTHER", code: status.UNIMPLEMENTED, error: true, level: "warn" },
  { path: "grpc.health.v1.Health/Check", method: "grpc.health.v1.Health/Check", code: status.OK, level: "debug" },
];
for (const { path, message, method, code, error, level } of outcomes) {
  test(`${path} that ends with ${status[code]} is counted and logged as ${method}`, async (t) => {
    const { target, logged, samples } = await serveGrpc(t);
    const ended = await call(t, target, path, {}, message);
    t.is(ended.code, code);
    const line = await logged(({ msg }) => msg === "Call");
    t.like(line, { method, status: status[code], level });
    t.is(line["path"], method === "_OTHER" ? `/${path}` : undefined);
    t.is(line["request_id"], ended.requestId);
    t.is(samples(DURATION)[series(method, status[code], error ? status[code] : undefined)], 1);
    t.is(samples("rpc_server_active_calls")[`rpc_system_name="grpc",rpc_method="${method}"`], 0);
  });
}

test("what failed inside is logged with its cause, under the id that the caller got", async (t) => {
  const { target, logged, samples } = await serveGrpc(t, {
    greeter: {
      greet: async () => Promise.reject(new Error("secret")),
      version: async () => Promise.reject(new UnavailableError("Busy")),
    },
  });
  const { requestId } = await call(t, target, GREET);
  t.like(await logged(({ msg }) => msg === "Request failed"), {
    level: "error",
    request: GREET,
    request_id: requestId,
  });
  t.like(await logged(({ msg }) => msg === "Call"), { level: "warn", status: "INTERNAL", request_id: requestId });
  t.is(samples(DURATION)[series(GREET, "INTERNAL", "INTERNAL")], 1);
  await call(t, target, "greeter.v1.GreeterService/Version");
  t.like(await logged(({ status }) => status === "UNAVAILABLE"), { level: "warn" });
});

test("an ill-formed request id is replaced", async (t) => {
  const { target } = await serveGrpc(t);
  t.regex((await call(t, target, GREET, { "x-request-id": "a b" })).requestId ?? "", /^[\da-f-]{36}$/);
});

test("a caller who goes away before the answer is CANCELLED, and no error", async (t) => {
  const { target, logged, samples } = await serveGrpc(t);
  const client = frameClient(target);
  client.open(`/${GREET}`);
  const active = `rpc_system_name="grpc",rpc_method="${GREET}"`;
  while (samples("rpc_server_active_calls")[active] !== 1) await new Promise((resolve) => setImmediate(resolve));
  client.destroy();
  t.like(await logged(({ msg }) => msg === "Call"), { status: "CANCELLED", level: "info", bytes: 0 });
  t.is(samples(DURATION)[series(GREET, "CANCELLED")], 1);
  t.is(samples("rpc_server_active_calls")[active], 0);
});

test("a caller can't speak to the terminal of whoever reads the log", async (t) => {
  const { target, logged } = await serveGrpc(t);
  const session = connect(`http://${target}`);
  t.teardown(() => session.destroy());
  const path = Buffer.from("/\u009b31m\u00e9").toString("latin1");
  session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" }).on("error", () => {});
  const { path: shown } = await logged(({ msg }) => msg === "Call");
  t.regex(String(shown), /^\/[\x20-\x7e]*\\u009b31m/);
});
