import { connect } from "node:net";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import test from "ava";
import type { ExecutionContext } from "ava";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { frameClient, frameType } from "./frames.ts";
import type { Frame } from "./frames.ts";
import { serveGrpc } from "./serve.ts";

const GREET = "/greeter.v1.GreeterService/Greet";
const CHECK = "/grpc.health.v1.Health/Check";
const WATCH = "/grpc.health.v1.Health/Watch";

interface CallOptions {
  path?: string;
  message?: Buffer;
  /** In milliseconds since the epoch. */
  deadline?: number;
  headers?: Record<string, string>;
}

/** Makes a unary call with bytes for messages and no retries, and tells how it ended. */
function call(
  t: ExecutionContext,
  target: string,
  { path = GREET, message = Buffer.alloc(0), deadline = Infinity, headers = {} }: CallOptions = {},
): Promise<{ code: status; details: string; metadata: Metadata }> {
  const client = new Client(target, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  t.teardown(() => client.close());
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new Promise((resolve) => {
    const ended = (error: ServiceError | null): void => resolve(error ?? { code: status.OK, details: "", metadata });
    const identity = (bytes: Buffer): Buffer => bytes;
    client.makeUnaryRequest(path, identity, identity, message, metadata, { deadline }, ended);
  });
}

/** A greeter that never answers. */
const silent = { greet: (): Promise<string> => new Promise(() => {}) };

test("a message that is too large is refused, and the connection lives on", async (t) => {
  const { target } = await serveGrpc(t, { maxMessageSize: 1024 });
  const { code, details } = await call(t, target, { message: Buffer.alloc(1025) });
  t.is(code, status.RESOURCE_EXHAUSTED);
  t.regex(details, /1025/);
  const client = frameClient(target);
  t.teardown(() => client.destroy());
  const refused = client.call(GREET, Buffer.alloc(2000));
  const answered = client.call(GREET, Buffer.alloc(0));
  while (!client.isAnswered(refused) || !client.isAnswered(answered)) await client.next();
  t.pass();
});

test("a client is told how many calls a connection may have, waits with more, and is sent away if it does not", async (t) => {
  let [inFlight, most] = [0, 0];
  const greet = async (): Promise<string> => {
    most = Math.max(most, ++inFlight);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inFlight--;
    return "Hello!";
  };
  const { target } = await serveGrpc(t, { maxConcurrentStreams: 2, greeter: { greet } });
  t.is((await call(t, target)).code, status.OK);
  const calls = Array.from({ length: 6 }, () => call(t, target));
  for (const { code } of await Promise.all(calls)) t.is(code, status.OK);
  t.is(most, 2);

  const client = frameClient(target);
  const settings = (): Frame | undefined => client.frames.find(({ type }) => type === frameType.settings);
  while (!settings()) await client.next();
  const { payload } = settings()!;
  const pairs = Array.from({ length: payload.length / 6 }, (_, index) => payload.subarray(6 * index, 6 * index + 6));
  // SETTINGS_MAX_CONCURRENT_STREAMS (https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2).
  t.is(pairs.find((pair) => pair.readUInt16BE(0) === 3)?.readUInt32BE(2), 2);
  for (let count = 0; count < 3; count++) client.open(GREET);
  await client.closed;
  t.true(client.frames.some(({ type }) => type === frameType.goaway));
});

test("connections beyond the limit are closed at once and counted, and one that ends makes room", async (t) => {
  const { target, server, telemetry, samples } = await serveGrpc(t, { maxConnections: 2 });
  telemetry.countConnections("grpc", server.listener);
  const [first, second] = [frameClient(target), frameClient(target)];
  for (const client of [first, second]) {
    t.teardown(() => client.destroy());
    while (client.frames.length === 0) await client.next();
  }
  const third = frameClient(target);
  await third.closed;
  t.deepEqual(third.frames, []);
  t.is(samples("greeter_connections_dropped_total")['protocol="grpc"'], 1);
  first.destroy();
  t.is((await call(t, target)).code, status.OK);
});

test("a connection that never says that it speaks HTTP/2 is closed", async (t) => {
  const { target } = await serveGrpc(t, { handshakeTimeoutMs: 100 });
  const { hostname, port } = new URL(`http://${target}`);
  for (const beginning of ["", "PRI * HTTP/2.0\r\n"]) {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {}).resume();
    socket.write(beginning);
    await new Promise((resolve) => socket.once("close", resolve));
  }
  const client = frameClient(target);
  t.teardown(() => client.destroy());
  const stream = client.call(WATCH, Buffer.alloc(0));
  while (!client.frames.some((frame) => frame.stream === stream)) await client.next();
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.false(client.isAnswered(stream));
});

for (const [what, options] of [
  ["without a deadline", {}],
  ["with a later one", { deadline: Date.now() + 3_600_000 }],
  ["with one that no clock has", { headers: { "grpc-timeout": "99999999H" } }],
] as const) {
  test(`a call ${what} gets the server's deadline`, async (t) => {
    const { target } = await serveGrpc(t, { maxTimeoutMs: 100, greeter: silent });
    t.is((await call(t, target, options)).code, status.DEADLINE_EXCEEDED);
  });
}

test("a health watch has no deadline but its caller's", async (t) => {
  const { target } = await serveGrpc(t, { maxTimeoutMs: 50 });
  const client = frameClient(target);
  t.teardown(() => client.destroy());
  const watch = client.call(WATCH, Buffer.alloc(0));
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.false(client.isAnswered(watch));
});

test("what is too much is refused at once, health is answered all the same, and later there is room again", async (t) => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<string>();
  const greet = (): Promise<string> => {
    started.resolve();
    return finish.promise;
  };
  const { target, logged, samples } = await serveGrpc(t, { admission: createAdmission(1), greeter: { greet } });
  const first = call(t, target);
  await started.promise;

  const { code, details, metadata } = await call(t, target, { headers: { "x-request-id": "too-much" } });
  t.is(code, status.UNAVAILABLE);
  t.regex(details, /^Overloaded/);
  t.deepEqual(metadata.get("grpc-retry-pushback-ms"), ["1000"]);
  t.deepEqual(metadata.get("x-request-id"), ["too-much"]);
  t.like(await logged(({ request_id }) => request_id === "too-much"), { status: "UNAVAILABLE", level: "warn" });
  const method = `rpc_method="${GREET.slice(1)}"`;
  const refused = `rpc_system_name="grpc",${method},rpc_status_code="UNAVAILABLE",error_type="UNAVAILABLE"`;
  t.is(samples("rpc_server_call_duration_seconds_count")[refused], 1);
  t.is((await call(t, target, { path: "/no.Service/Method" })).code, status.UNAVAILABLE);
  t.is((await call(t, target, { path: CHECK })).code, status.OK);

  finish.resolve("Hello, at last!");
  t.is((await first).code, status.OK);
  t.is((await call(t, target)).code, status.OK);
});

test("of calls that come together, those that are too many are refused at their work, with the same word", async (t) => {
  const finish = Promise.withResolvers<string>();
  const { target } = await serveGrpc(t, { admission: createAdmission(1), greeter: { greet: () => finish.promise } });
  const client = new Client(target, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  t.teardown(() => client.close());
  const identity = (bytes: Buffer): Buffer => bytes;
  const refused = Promise.withResolvers<void>();
  const refusals: ServiceError[] = [];
  for (let count = 0; count < 4; count++) {
    client.makeUnaryRequest(GREET, identity, identity, Buffer.alloc(0), (error) => {
      if (error && refusals.push(error) === 3) refused.resolve();
    });
  }
  await refused.promise;
  finish.resolve("Hello!");
  for (const { code, details, metadata } of refusals) {
    t.is(`${code} ${details}`, `${status.UNAVAILABLE} Overloaded: too much is in flight`);
    t.deepEqual(metadata.get("grpc-retry-pushback-ms"), ["1000"]);
  }
});
