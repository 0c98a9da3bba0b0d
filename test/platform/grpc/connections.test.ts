import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import test from "ava";
import { GreetRequestSchema } from "../../../src/gen/greeter/v1/greeter_pb.ts";
import { UnavailableError } from "../../../src/greeter/greeter.ts";
import { createGreeterClient } from "../../../src/greeter/client.ts";
import { frameClient, frameType } from "./frames.ts";
import type { FrameClient } from "./frames.ts";
import { serveGrpc } from "./serve.ts";

const greet = "/greeter.v1.GreeterService/Greet";
const bob = Buffer.from(toBinary(GreetRequestSchema, create(GreetRequestSchema, { name: "Bob" })));

/** Calls without a pause until the server sends the client away, as a client with many callers does. */
async function callUntilSentAway(client: FrameClient): Promise<number[]> {
  const streams: number[] = [];
  while (!client.frames.some(({ type }) => type === frameType.goaway)) {
    streams.push(client.call(greet, bob));
    await sleep(1);
  }
  return streams;
}

const lastStreams = (client: FrameClient): number[] =>
  client.frames.filter(({ type }) => type === frameType.goaway).map(({ payload }) => payload.readUInt32BE(0));

test("a drain answers every call that was on its way when the client was sent away", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target, { delay: 20 });
  t.teardown(() => client.destroy());
  const calling = callUntilSentAway(client);
  while (!client.isAnswered(1)) await sleep(1);
  await server.drain();
  const streams = await calling;
  await client.closed;
  t.deepEqual(
    streams.filter((stream) => !client.isAnswered(stream)),
    [],
  );
  t.deepEqual(lastStreams(client).slice(0, 2), [2 ** 31 - 1, streams.at(-1)!]);
});

test("a drain waits for a call in flight, and takes no new connection", async (t) => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<string>();
  const greeter = {
    greet: (): Promise<string> => {
      started.resolve();
      return finish.promise;
    },
  };
  const { server, target } = await serveGrpc(t, { greeter });
  const client = createGreeterClient({ target, timeoutMs: 10_000 });
  const late = createGreeterClient({ target, timeoutMs: 10_000 });
  t.teardown(() => {
    client.close();
    late.close();
  });
  const answer = client.greet("Bob");
  await started.promise;

  let drained = false;
  const draining = server.drain().then(() => (drained = true));
  await t.throwsAsync(late.greet("Bob"), { instanceOf: UnavailableError });
  t.false(drained);
  finish.resolve("Hello, late!");
  t.is(await answer, "Hello, late!");
  await draining;
  t.is(await server.cut(), 0);
});

test("a connection on which nothing was ever said does not delay a drain long", async (t) => {
  const { server, target } = await serveGrpc(t);
  const { hostname, port } = new URL(`http://${target}`);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {}).resume();
  await server.drain();
  await ended;
  t.pass();
});

test("a connection that is old enough is replaced, and no call is lost by it", async (t) => {
  const { target } = await serveGrpc(t, { maxAgeMs: 200, maxAgeGraceMs: 10_000 });
  const client = frameClient(target, { delay: 20 });
  t.teardown(() => client.destroy());
  const streams = await callUntilSentAway(client);
  await client.closed;
  t.deepEqual(
    streams.filter((stream) => !client.isAnswered(stream)),
    [],
  );
});

test("the longest age there is is no short one", async (t) => {
  const { target } = await serveGrpc(t, { maxAgeMs: 2 ** 31 - 1 });
  // A tenth more is more than a timer can wait; which of them get that is left to chance.
  const clients = Array.from({ length: 20 }, () => frameClient(target));
  for (const client of clients) t.teardown(() => client.destroy());
  await sleep(200);
  for (const client of clients) t.deepEqual(lastStreams(client), []);
});

test("a call on an old connection ends with it when the grace is over", async (t) => {
  const { target } = await serveGrpc(t, { maxAgeMs: 50, maxAgeGraceMs: 50 });
  const client = frameClient(target);
  const stream = client.open(greet);
  await client.closed;
  t.false(client.isAnswered(stream));
});

test("a health watch on an old connection is told to come back, and does not hold it", async (t) => {
  const { target } = await serveGrpc(t, { maxAgeMs: 50, maxAgeGraceMs: 3_600_000 });
  const client = frameClient(target);
  const watch = client.call("/grpc.health.v1.Health/Watch", Buffer.alloc(0));
  while (!client.frames.some(({ type }) => type === frameType.goaway)) await sleep(5);
  const again = client.call("/grpc.health.v1.Health/Watch", Buffer.alloc(0));
  await client.closed;
  t.true(client.isAnswered(watch));
  t.true(client.isAnswered(again) || lastStreams(client).at(-1)! < again);
});

test("gRPC's own client is not disturbed when its connection is replaced", async (t) => {
  const { target } = await serveGrpc(t, { maxAgeMs: 30, maxAgeGraceMs: 10_000 });
  const client = createGreeterClient({ target, timeoutMs: 10_000 });
  t.teardown(() => client.close());
  for (let call = 0; call < 300; call += 1) t.is(await client.greet("Bob"), "Hello, Bob!");
});

test("an idle connection is closed", async (t) => {
  const { target } = await serveGrpc(t, { maxIdleMs: 50 });
  const client = frameClient(target);
  client.call(greet, bob);
  await client.closed;
  t.true(client.isAnswered(1));
});

test("a connection is idle from its last call on, not from the last look at it", async (t) => {
  const { target } = await serveGrpc(t, { maxIdleMs: 4000 });
  const client = frameClient(target);
  await sleep(500);
  const since = performance.now();
  client.call(greet, bob);
  while (lastStreams(client).length === 0) await sleep(5);
  const idle = performance.now() - since;
  t.true(idle > 3990, `${idle} ms`);
  await client.closed;
});

test("a connection with an open call is not idle", async (t) => {
  const { server, target } = await serveGrpc(t, { maxIdleMs: 500 });
  const client = frameClient(target);
  client.open(greet);
  await sleep(1200);
  t.deepEqual(lastStreams(client), []);
  t.is(await server.cut(), 1);
  await client.closed;
});

test("a peer that is gone is noticed", async (t) => {
  const { target } = await serveGrpc(t, { keepaliveTimeMs: 50, keepaliveTimeoutMs: 50 });
  const client = frameClient(target, { silent: true });
  await client.closed;
  t.true(client.frames.some(({ type }) => type === frameType.ping));
});

test("a peer that does not read is noticed, and its connection closed with all that it has not read", async (t) => {
  const { server, target } = await serveGrpc(t, { keepaliveTimeMs: 100, keepaliveTimeoutMs: 100 });
  const accepted = once(server.listener, "connection");
  const client = frameClient(target, { silent: true });
  t.teardown(() => client.destroy());
  const [theirs] = (await accepted) as [Socket];
  const closed = new Promise((resolve) => theirs.once("close", resolve));
  client.pause();
  const version = "/greeter.v1.GreeterService/Version";
  const calling = setInterval(() => client.call(version.padEnd(120, "x"), Buffer.alloc(0)), 1);
  t.teardown(() => clearInterval(calling));
  await closed;
  t.pass();
});

test("a drain does not wait long for a peer that is gone", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target, { silent: true });
  await sleep(50);
  await server.drain();
  await client.closed;
  t.pass();
});

test("a drain does not wait for a client that went away and left a health watch open", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target, { silent: true });
  t.teardown(() => client.destroy());
  const watch = client.call("/grpc.health.v1.Health/Watch", Buffer.alloc(0));
  while (!client.frames.some(({ stream }) => stream === watch)) await client.next();
  // As Node's client says when it is closed, with the connection left half open.
  client.send({ type: frameType.goaway, flags: 0, stream: 0, payload: Buffer.alloc(8) });
  client.send({ type: frameType.ping, flags: 0, stream: 0, payload: Buffer.alloc(8) });
  while (!client.frames.some(({ type }) => type === frameType.ping)) await client.next();
  await server.drain();
  t.is(await server.cut(), 0);
});

test("cutting closes what is left, and tells how many calls that were", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target);
  const answered = client.call(greet, bob);
  client.open(greet);
  client.open(greet);
  while (!client.isAnswered(answered)) await sleep(5);
  t.is(await server.cut(), 2);
  await client.closed;
});
