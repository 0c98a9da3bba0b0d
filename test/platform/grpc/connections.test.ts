import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { createContext } from "../../../src/platform/context.ts";
import { ServiceError } from "../../../src/platform/errors.ts";
import { createGrpcClient } from "../../../src/platform/grpc/client.ts";
import { identity } from "../../../src/platform/identity.ts";
import { ItemService } from "../../fixtures/gen/fixture/v1/item_pb.ts";
import { CHECK, GET_ITEM, itemRequest, JOIN_ITEMS, WATCH } from "./call.ts";
import { frameClient, frameType } from "./frames.ts";
import type { Frame, FrameClient } from "./frames.ts";
import { itemServices, serveGrpc } from "./serve.ts";

const { getItem } = ItemService.method;
const request = itemRequest("1");

/** Calls every millisecond until the server sends GOAWAY, as a client with many callers does. */
async function callUntilGoaway(client: FrameClient): Promise<number[]> {
  const streams: number[] = [];
  while (!isClosing(client)) {
    streams.push(client.call(GET_ITEM, request));
    await sleep(1);
  }
  return streams;
}

function isClosing(client: FrameClient): boolean {
  return client.frames.some(({ type }) => type === frameType.goaway);
}

/** Returns the last stream id of each GOAWAY. */
function lastStreams(client: FrameClient): number[] {
  return client.frames.filter(({ type }) => type === frameType.goaway).map(({ payload }) => payload.readUInt32BE(0));
}

test("a drain answers every call that the client sent before it received GOAWAY", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target, { delay: 20 });
  t.teardown(() => client.destroy());
  const calling = callUntilGoaway(client);
  while (!client.isAnswered(1)) await client.next();
  await server.drain();
  const streams = await calling;
  await client.closed;
  t.deepEqual(
    streams.filter((stream) => !client.isAnswered(stream)),
    [],
  );
  t.deepEqual(lastStreams(client).slice(0, 2), [2 ** 31 - 1, streams.at(-1)!]);
});

test("a drain waits for a call in flight, and accepts no new connection", async (t) => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<string>();
  const get = (): Promise<string> => {
    started.resolve();
    return finish.promise;
  };
  const { server, target } = await serveGrpc(t, { services: itemServices({ get }) });
  const client = createGrpcClient(ItemService, { target });
  const late = createGrpcClient(ItemService, { target });
  t.teardown(() => {
    client.close();
    late.close();
  });
  const context = createContext({ deadline: Date.now() + 10_000 });
  const response = client.call(getItem, { id: "1" }, context);
  await started.promise;

  let drained = false;
  const draining = server.drain().then(() => (drained = true));
  const error = await t.throwsAsync(late.call(getItem, { id: "1" }, context), { instanceOf: ServiceError });
  t.is(error.code, "UNAVAILABLE");
  t.false(drained);
  finish.resolve("At last");
  t.is((await response).text, "At last");
  await draining;
  t.is(await server.cut(), 0);
});

test("a connection without a single byte does not delay a drain long", async (t) => {
  const { server, target } = await serveGrpc(t);
  const { hostname, port } = new URL(`http://${target}`);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {}).resume();
  await server.drain();
  await closed;
  t.pass();
});

test("a connection that reaches its age is closed, and no call is lost", async (t) => {
  const { target } = await serveGrpc(t, { grpcMaxConnectionAge: 200, grpcMaxConnectionAgeGrace: 10_000 });
  const client = frameClient(target, { delay: 20 });
  t.teardown(() => client.destroy());
  const streams = await callUntilGoaway(client);
  await client.closed;
  t.deepEqual(
    streams.filter((stream) => !client.isAnswered(stream)),
    [],
  );
});

test("a call on an old connection is cut off when the grace period is over", async (t) => {
  const { target } = await serveGrpc(t, { grpcMaxConnectionAge: 50, grpcMaxConnectionAgeGrace: 50 });
  const client = frameClient(target);
  const stream = client.open(GET_ITEM);
  await client.closed;
  t.false(client.isAnswered(stream));
});

test("a health watch on an old connection ends, and does not hold the connection", async (t) => {
  const { target } = await serveGrpc(t, { grpcMaxConnectionAge: 50, grpcMaxConnectionAgeGrace: 3_600_000 });
  const client = frameClient(target);
  const watch = client.call(WATCH, Buffer.alloc(0));
  await client.closed;
  t.true(client.isAnswered(watch));
});

test("a health watch that starts while its connection is closing ends at once", async (t) => {
  const { target } = await serveGrpc(t, { grpcMaxConnectionAge: 50, grpcMaxConnectionAgeGrace: 3_600_000 });
  // Without an answer to the PING, the server still accepts calls for a second.
  const client = frameClient(target, { silent: true });
  client.open(GET_ITEM);
  while (!isClosing(client)) await client.next();
  const watch = client.call(WATCH, Buffer.alloc(0));
  while (!client.isAnswered(watch)) await client.next();
  t.deepEqual(lastStreams(client), [2 ** 31 - 1]);
  client.destroy();
});

test("an old connection that a call holds open is closed gracefully once", async (t) => {
  const { target, samples } = await serveGrpc(t, { grpcMaxConnectionAge: 50, grpcMaxConnectionAgeGrace: 3_600_000 });
  const client = frameClient(target);
  t.teardown(() => client.destroy());
  const stream = client.open(GET_ITEM);
  while (lastStreams(client).length < 2) await client.next();
  // Each later connection reaches its age in a later check.
  for (let count = 0; count < 2; count++) await frameClient(target).closed;
  t.deepEqual(lastStreams(client), [2 ** 31 - 1, stream]);
  t.is(samples(`${identity.metricPrefix}grpc_connections_closed_total`)['reason="age"'], 3);
});

test("grpc-js's client loses no call when its connection is replaced", async (t) => {
  const { target, samples } = await serveGrpc(t, { grpcMaxConnectionAge: 30, grpcMaxConnectionAgeGrace: 10_000 });
  const client = createGrpcClient(ItemService, { target });
  t.teardown(() => client.close());
  const context = createContext({ deadline: Date.now() + 30_000 });
  const closed = (): number => samples(`${identity.metricPrefix}grpc_connections_closed_total`)['reason="age"']!;
  while (closed() < 3) t.is((await client.call(getItem, { id: "1" }, context)).text, "Item 1");
});

test("an idle connection is closed", async (t) => {
  const { target } = await serveGrpc(t, { grpcMaxConnectionIdle: 50 });
  const client = frameClient(target);
  client.call(GET_ITEM, request);
  await client.closed;
  t.true(client.isAnswered(1));
});

test("the idle time of a connection starts with the end of its last call", async (t) => {
  const { target } = await serveGrpc(t, { grpcMaxConnectionIdle: 2000 });
  const client = frameClient(target);
  // The call comes between two checks of the idle time.
  await sleep(500);
  const start = performance.now();
  client.call(GET_ITEM, request);
  while (!isClosing(client)) await client.next();
  const idleMs = performance.now() - start;
  t.true(idleMs > 1990, `${idleMs} ms`);
  await client.closed;
});

test("a connection with an open call is not idle", async (t) => {
  const { server, target } = await serveGrpc(t, { grpcMaxConnectionIdle: 500 });
  const client = frameClient(target);
  client.open(GET_ITEM);
  while (client.frames.length === 0) await client.next();
  // Each of them is idle for as long, one after the other.
  for (let count = 0; count < 2; count++) await frameClient(target).closed;
  t.deepEqual(lastStreams(client), []);
  t.is(await server.cut(), 1);
  await client.closed;
});

test("a connection whose peer answers no ping is closed", async (t) => {
  const { target } = await serveGrpc(t, { grpcKeepaliveTime: 50, grpcKeepaliveTimeout: 50 });
  const client = frameClient(target, { silent: true });
  await client.closed;
  t.true(client.frames.some(({ type }) => type === frameType.ping));
});

test("a connection whose peer does not read is closed, with everything that is still unsent", async (t) => {
  const { server, target } = await serveGrpc(t, { grpcKeepaliveTime: 100, grpcKeepaliveTimeout: 100 });
  const accepted = once(server.listener, "connection");
  const client = frameClient(target, { silent: true });
  t.teardown(() => client.destroy());
  const [socket] = (await accepted) as [Socket];
  const closed = new Promise((resolve) => socket.once("close", resolve));
  client.pause();
  const calling = setInterval(() => client.call(GET_ITEM.padEnd(120, "x"), Buffer.alloc(0)), 1);
  t.teardown(() => clearInterval(calling));
  await closed;
  t.pass();
});

test("a drain does not wait long for a dead peer", async (t) => {
  const { server, target } = await serveGrpc(t);
  const accepted = once(server.listener, "connection");
  const client = frameClient(target, { silent: true });
  await accepted;
  await server.drain();
  await client.closed;
  t.pass();
});

test("a drain does not wait for a client that sent GOAWAY and left a health watch open", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target, { silent: true });
  t.teardown(() => client.destroy());
  const watch = client.call(WATCH, Buffer.alloc(0));
  while (!client.frames.some(({ stream }) => stream === watch)) await client.next();
  // Node's client sends it when it is closed, and leaves the connection half open.
  client.send({ type: frameType.goaway, flags: 0, stream: 0, payload: Buffer.alloc(8) });
  client.send({ type: frameType.ping, flags: 0, stream: 0, payload: Buffer.alloc(8) });
  while (!client.frames.some(({ type }) => type === frameType.ping)) await client.next();
  await server.drain();
  t.is(await server.cut(), 0);
});

test("a drain resets a health watch whose client does not read its status", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target);
  // A flow-control window of 0 (https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2).
  client.send({ type: frameType.settings, flags: 0, stream: 0, payload: Buffer.from("000400000000", "hex") });
  const watch = client.call(WATCH, Buffer.alloc(0));
  while (!client.frames.some(({ stream }) => stream === watch)) await client.next();
  await server.drain();
  await client.closed;
  const reset = client.frames.find(({ stream, type }) => stream === watch && type === frameType.rstStream);
  // CANCEL (https://www.rfc-editor.org/rfc/rfc9113#section-7).
  t.is(reset?.payload.readUInt32BE(0), 8);
});

test("a drain does not wait long for a client that does not close its side of the connection", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target, { allowHalfOpen: true });
  t.teardown(() => client.destroy());
  const checked = client.call(CHECK, Buffer.alloc(0));
  while (!client.isAnswered(checked)) await client.next();
  await server.drain();
  t.true(isClosing(client));
});

test("a drain ends a call whose response is complete, although its client has not ended the request", async (t) => {
  const joinItems = async (requests: AsyncIterable<{ id: string }>): Promise<{ ids: string }> => {
    for await (const { id } of requests) return { ids: id };
    return { ids: "" };
  };
  const { server, target } = await serveGrpc(t, { services: itemServices({}, { joinItems }) });
  const client = frameClient(target);
  t.teardown(() => client.destroy());
  const stream = client.open(JOIN_ITEMS);
  client.send({ type: frameType.data, flags: 0, stream, payload: Buffer.from("00000000030a0131", "hex") });
  while (!client.isAnswered(stream)) await client.next();
  const isReset = ({ type, ...frame }: Frame): boolean => type === frameType.rstStream && frame.stream === stream;
  t.false(client.frames.some(isReset));
  await server.drain();
  await client.closed;
  // NO_ERROR (https://www.rfc-editor.org/rfc/rfc9113#section-8.1).
  t.is(client.frames.find(isReset)?.payload.readUInt32BE(0), 0);
  t.is(await server.cut(), 0);
});

test("a drain answers a client that reads again only later: GOAWAY first, then the end of a long-lived stream", async (t) => {
  // Less than the memory that Node gives a session (10 MB), more than the buffers of the system.
  const [count, text] = [8, "x".repeat(2 ** 20)];
  const responses: string[] = [];
  const get = async (): Promise<string> => {
    responses.push(text);
    return text;
  };
  const { server, target } = await serveGrpc(t, { services: itemServices({ get }) });
  const [client, other] = [frameClient(target), frameClient(target)];
  for (const connection of [client, other]) t.teardown(() => connection.destroy());
  // The largest flow-control windows (https://www.rfc-editor.org/rfc/rfc9113#section-6.9).
  client.send({ type: frameType.settings, flags: 0, stream: 0, payload: Buffer.from("00047fffffff", "hex") });
  client.send({ type: frameType.windowUpdate, flags: 0, stream: 0, payload: Buffer.from("7fff0000", "hex") });
  const stream = client.open("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  while (client.frames.length === 0) await client.next();
  client.pause();
  const calls = Array.from({ length: count }, () => client.call(GET_ITEM, request));
  while (responses.length < count) await setImmediate();
  // The server has written as much as the socket takes when it answers a later call.
  const later = other.call(CHECK, Buffer.alloc(0));
  while (!other.isAnswered(later)) await other.next();

  const drained = server.drain();
  await other.closed;
  client.resume();
  await drained;
  await client.closed;
  t.true(calls.every((answered) => client.isAnswered(answered)));
  const goaway = client.frames.findIndex(({ type }) => type === frameType.goaway);
  const end = client.frames.findIndex((frame) => frame.stream === stream && frame.type === frameType.headers);
  t.true(goaway >= 0 && goaway < end, `GOAWAY is frame ${goaway}, the end of the stream is frame ${end}`);
  t.is(await server.cut(), 0);
});

test("a cut closes every connection, and returns the number of calls cut off", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target);
  const watch = client.call(WATCH, Buffer.alloc(0));
  const answered = client.call(CHECK, Buffer.alloc(0));
  client.open(GET_ITEM);
  client.open(GET_ITEM);
  const last = client.call(CHECK, Buffer.alloc(0));
  while (![answered, last].every((stream) => client.isAnswered(stream))) await client.next();
  t.false(client.isAnswered(watch));
  t.is(await server.cut(), 2);
  await client.closed;
});

test("a cut closes the socket of a client that does not close its side of the connection", async (t) => {
  const { server, target } = await serveGrpc(t);
  const accepted = once(server.listener, "connection");
  const client = frameClient(target, { allowHalfOpen: true });
  t.teardown(() => client.destroy());
  const [socket] = (await accepted) as [Socket];
  const closed = new Promise((resolve) => socket.once("close", resolve));
  while (client.frames.length === 0) await client.next();
  await server.cut();
  await closed;
  t.pass();
});
