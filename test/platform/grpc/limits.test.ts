import { connect } from "node:net";
import { Client, credentials, status, type ServiceError } from "@grpc/grpc-js";
import test from "ava";
import { identity } from "../../../src/platform/identity.ts";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { call, CHECK, GET_ITEM, itemRequest, WATCH } from "./call.ts";
import { frameClient, frameType, type Frame } from "./frames.ts";
import { itemServices, serveGrpc } from "./serve.ts";

test("a message beyond the limit is RESOURCE_EXHAUSTED, and the connection stays open", async (t) => {
  const { target } = await serveGrpc(t, { grpcMaxMessageSize: 1024 });
  const { code, details } = await call(t, target, { message: Buffer.alloc(1025) });
  t.is(code, status.RESOURCE_EXHAUSTED);
  t.regex(details, /1025/);
  const client = frameClient(target);
  t.teardown(() => client.destroy());
  const rejected = client.call(GET_ITEM, Buffer.alloc(2000));
  const answered = client.call(GET_ITEM, Buffer.alloc(0));
  while (!client.isAnswered(rejected) || !client.isAnswered(answered)) await client.next();
  t.pass();
});

test("metadata beyond the limit is RESOURCE_EXHAUSTED, and metadata within the limit is accepted", async (t) => {
  const { target } = await serveGrpc(t, { grpcMaxMetadataSize: 4096 });
  const { code } = await call(t, target, { headers: { "x-test": "x".repeat(4096) } });
  t.is(code, status.RESOURCE_EXHAUSTED);
  t.is((await call(t, target, { headers: { "x-test": "x".repeat(3072) } })).code, status.OK);
});

test("a client gets the limit on concurrent streams, queues further calls, and is disconnected if it does not", async (t) => {
  let [inFlight, most] = [0, 0];
  const get = async (): Promise<string> => {
    most = Math.max(most, ++inFlight);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inFlight--;
    return "Item";
  };
  const { target } = await serveGrpc(t, { grpcMaxConcurrentStreams: 2, services: itemServices({ get }) });
  const shared = new Client(target, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  t.teardown(() => shared.close());
  const callShared = (): Promise<ServiceError | null> => {
    const asIs = (bytes: Buffer): Buffer => bytes;
    return new Promise((resolve) => shared.makeUnaryRequest(GET_ITEM, asIs, asIs, Buffer.alloc(0), resolve));
  };
  t.is(await callShared(), null);
  const calls = Array.from({ length: 6 }, callShared);
  for (const error of await Promise.all(calls)) t.is(error, null);
  t.is(most, 2);

  const client = frameClient(target);
  const settings = (): Frame | undefined => client.frames.find(({ type }) => type === frameType.settings);
  while (!settings()) await client.next();
  const { payload } = settings()!;
  const pairs = Array.from({ length: payload.length / 6 }, (_, index) => payload.subarray(6 * index, 6 * index + 6));
  // SETTINGS_MAX_CONCURRENT_STREAMS (https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2).
  t.is(pairs.find((pair) => pair.readUInt16BE(0) === 3)?.readUInt32BE(2), 2);
  for (let count = 0; count < 3; count++) client.open(GET_ITEM);
  await client.closed;
  t.true(client.frames.some(({ type }) => type === frameType.goaway));
});

test("a connection beyond the limit is closed at once and counted, and accepted after another one is closed", async (t) => {
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
  t.is(samples(`${identity.metricPrefix}connections_dropped_total`)['protocol="grpc"'], 1);
  first.destroy();
  t.is((await call(t, target)).code, status.OK);
});

test("a connection without a complete HTTP/2 handshake is closed", async (t) => {
  const { target } = await serveGrpc(t, { handshakeTimeout: 100 });
  const { hostname, port } = new URL(`http://${target}`);
  const closedAfter = async (beginning: string): Promise<void> => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {}).resume();
    socket.write(beginning);
    await new Promise((resolve) => socket.once("close", resolve));
  };
  await closedAfter("");
  await closedAfter("PRI * HTTP/2.0\r\n");
  const client = frameClient(target);
  t.teardown(() => client.destroy());
  const stream = client.call(WATCH, Buffer.alloc(0));
  while (!client.frames.some((frame) => frame.stream === stream)) await client.next();
  // The timeout of a later connection passes after the timeout of this one would have.
  await closedAfter("");
  const ping = client.frames.length;
  client.send({ type: frameType.ping, flags: 0, stream: 0, payload: Buffer.alloc(8) });
  while (client.frames.length === ping) await client.next();
  t.false(client.isAnswered(stream));
});

for (const [title, options] of [
  ["without a deadline", {}],
  ["with a later deadline", { deadline: Date.now() + 3_600_000 }],
  ["with the longest possible timeout", { headers: { "grpc-timeout": "99999999H" } }],
] as const) {
  test(`a call ${title} gets the maximum deadline`, async (t) => {
    const { target } = await serveGrpc(t, { grpcMaxTimeout: 100 });
    const { code } = await call(t, target, { ...options, message: itemRequest("hang") });
    t.is(code, status.DEADLINE_EXCEEDED);
  });
}

test("a health watch has no deadline of the server", async (t) => {
  const { target } = await serveGrpc(t, { grpcMaxTimeout: 50 });
  const client = frameClient(target);
  t.teardown(() => client.destroy());
  const watch = client.call(WATCH, Buffer.alloc(0));
  const hanging = client.call(GET_ITEM, itemRequest("hang"));
  // The later call gets the deadline.
  while (!client.isAnswered(hanging)) await client.next();
  t.false(client.isAnswered(watch));
});

test("calls beyond the limit are rejected at once, except health checks, and served again after a call has ended", async (t) => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<string>();
  const get = (): Promise<string> => {
    started.resolve();
    return finish.promise;
  };
  const services = itemServices({ get });
  const { target, logged, samples } = await serveGrpc(t, { admission: createAdmission(1), services });
  const first = call(t, target);
  await started.promise;

  const { code, details, metadata } = await call(t, target, { headers: { "x-request-id": "too-much" } });
  t.is(code, status.UNAVAILABLE);
  t.regex(details, /^Overloaded/);
  t.deepEqual(metadata.get("grpc-retry-pushback-ms"), ["1000"]);
  t.deepEqual(metadata.get("x-request-id"), ["too-much"]);
  t.like(await logged(({ request_id }) => request_id === "too-much"), { status: "UNAVAILABLE", level: "warn" });
  const method = `rpc_method="${GET_ITEM.slice(1)}"`;
  const rejected = `rpc_system_name="grpc",${method},rpc_status_code="UNAVAILABLE",error_type="UNAVAILABLE"`;
  t.is(samples("rpc_server_call_duration_seconds_count")[rejected], 1);
  t.is((await call(t, target, { path: "/no.Service/Method" })).code, status.UNAVAILABLE);
  t.is((await call(t, target, { path: CHECK })).code, status.OK);

  finish.resolve("At last");
  t.is((await first).code, status.OK);
  t.is((await call(t, target)).code, status.OK);
});

test("calls that pass the gate together are rejected at their handler, with the same status", async (t) => {
  const finish = Promise.withResolvers<string>();
  const services = itemServices({ get: () => finish.promise });
  const { target } = await serveGrpc(t, { admission: createAdmission(1), services });
  const client = new Client(target, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  t.teardown(() => client.close());
  const asIs = (bytes: Buffer): Buffer => bytes;
  const rejected = Promise.withResolvers<void>();
  const rejections: ServiceError[] = [];
  for (let count = 0; count < 4; count++) {
    client.makeUnaryRequest(GET_ITEM, asIs, asIs, Buffer.alloc(0), (error) => {
      if (error && rejections.push(error) === 3) rejected.resolve();
    });
  }
  await rejected.promise;
  finish.resolve("Item");
  for (const { code, details, metadata } of rejections) {
    t.is(`${code} ${details}`, `${status.UNAVAILABLE} Overloaded: too many requests are in flight`);
    t.deepEqual(metadata.get("grpc-retry-pushback-ms"), ["1000"]);
  }
});

for (const method of ["ListItems", "EchoItems"]) {
  test(`a call of ${method} is rejected at the limit of calls in flight, before its handler runs`, async (t) => {
    let runs = 0;
    async function* respond(): AsyncGenerator<{ item: { id: string }; id: string }> {
      runs++;
      yield { item: { id: "1" }, id: "1" };
    }
    const admission = createAdmission(1);
    const services = itemServices({}, { listItems: respond, echoItems: respond });
    const { target } = await serveGrpc(t, { admission, services });
    const path = `/fixture.v1.ItemService/${method}`;
    const leave = admission.enter();
    t.is((await call(t, target, { path })).code, status.UNAVAILABLE);
    t.is(runs, 0);
    leave();
    t.is((await call(t, target, { path })).code, status.OK);
    t.is(runs, 1);
  });
}
