import { once } from "node:events";
import http2, { connect, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { syncBuiltinESMExports } from "node:module";
import { createServer, Socket, type AddressInfo } from "node:net";
import { Server } from "@grpc/grpc-js";
import test from "ava";
import {
  checkDescriptors,
  checkStreams,
  http2HandlerOf,
  tableStreams,
  writeToDescriptor,
} from "../../../src/platform/grpc/internals.ts";
import { createGrpcServer } from "../../../src/platform/grpc/server.ts";
import { StreamTable } from "../../../src/platform/grpc/stream-table.ts";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { testConfig } from "../../fixtures/config.ts";
import { collectTelemetry } from "../telemetry/collect.ts";

const missingHttp2Servers = {
  message: /^Cannot serve gRPC: @grpc\/grpc-js keeps no HTTP\/2 server .* expected 1\.14$/,
};
const missingHandle = { message: /^Cannot serve gRPC: a socket of Node v\S+ has no _handle\.fd .* expected Node/ };
const missingStreams = {
  message: /^Cannot serve gRPC: a session of Node v\S+ has no Map of its streams: expected Node/,
};

test("the check of grpc-js fails without an HTTP/2 server that has its handlers", (t) => {
  const listenerCount = (): number => 1;
  t.notThrows(() => http2HandlerOf(new Server()));
  for (const http2Servers of [
    undefined,
    {},
    new Map(),
    new Map([[{ listenerCount: () => 0 }, {}]]),
    new Map([[{ listenerCount: (event: string) => (event === "session" ? 1 : 0) }, {}]]),
    new Map([[{ listenerCount: (event: string) => (event === "stream" ? 1 : 0) }, {}]]),
  ]) {
    const server = { createConnectionInjector: () => {}, http2Servers } as unknown as Server;
    t.throws(() => http2HandlerOf(server), missingHttp2Servers);
  }
  const handler = { listenerCount };
  const server = { createConnectionInjector: () => {}, http2Servers: new Map([[handler, {}]]) } as unknown as Server;
  t.is(http2HandlerOf(server), handler as unknown as ReturnType<typeof http2HandlerOf>);
});

test("the check of descriptors fails for a listener without a handle, or with another handle", async (t) => {
  const listener = createServer();
  t.throws(() => checkDescriptors(listener), missingHandle);
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.teardown(() => listener.close());
  t.notThrows(() => checkDescriptors(listener));
  for (const handle of [{}, { fd: 3 }, { writeQueueSize: 0 }, { fd: "3", writeQueueSize: 0 }]) {
    t.throws(() => checkDescriptors({ _handle: handle } as unknown as typeof listener), missingHandle);
  }
});

/** Runs a function while Node creates other sessions. */
function withSessions(session: object, run: () => void): void {
  const { performServerHandshake } = http2;
  http2.performServerHandshake = () => ({ ...session, destroy: () => {} }) as unknown as ServerHttp2Session;
  syncBuiltinESMExports();
  try {
    run();
  } finally {
    http2.performServerHandshake = performServerHandshake;
    syncBuiltinESMExports();
  }
}

test("the check of streams fails for a session without a Map of its streams", (t) => {
  t.notThrows(() => checkStreams());
  const state = Symbol("state");
  for (const session of [
    {},
    { [state]: undefined },
    { [state]: {} },
    { [state]: { streams: {} } },
    { [state]: { streams: { size: 0 } } },
    { [state]: { streams: new Map([[1, {}]]) } },
    { [Symbol("other")]: { streams: new Map() } },
  ]) {
    withSessions(session, () => t.throws(checkStreams, missingStreams));
  }
  withSessions({ [state]: { streams: new Map() } }, () => t.notThrows(checkStreams));
});

test("a server whose checks fail does not start", async (t) => {
  const collected = await collectTelemetry();
  const platform = { ...collected, config: testConfig(), admission: createAdmission(1), tls: undefined };
  withSessions({}, () => t.throws(() => createGrpcServer(platform, []), missingStreams));

  const method = "createConnectionInjector";
  const original = Object.getOwnPropertyDescriptor(Server.prototype, method)!;
  Object.defineProperty(Server.prototype, method, { ...original, value: () => {} });
  try {
    t.throws(() => createGrpcServer(platform, []), missingHttp2Servers);
  } finally {
    Object.defineProperty(Server.prototype, method, original);
  }

  const { listener } = createGrpcServer(platform, []);
  t.throws(() => listener.emit("listening"), missingHandle);
});

test("Node keeps the streams of a session in a stream table", async (t) => {
  const server = http2.createServer();
  t.teardown(() => server.close());
  const tables: unknown[] = [];
  server.on("session", (session: ServerHttp2Session) => {
    tableStreams(session);
    const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === "state")!;
    tables.push((Reflect.get(session, symbol) as { streams: unknown }).streams);
  });
  const opened = once(server, "stream") as Promise<[ServerHttp2Stream]>;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const request = client.request();
  request.resume();
  const [stream] = await opened;
  const [table] = tables as [StreamTable<ServerHttp2Stream>];
  t.true(table instanceof StreamTable);
  t.deepEqual([...table.values()], [stream]);
  stream.respond({}, { endStream: true });
  await Promise.all([once(stream, "close"), once(request, "close")]);
  t.is(table.size, 0);
  client.close();
});

test("nothing is written to a socket that is closed, has no descriptor, or still has bytes to write", (t) => {
  const bytes = Buffer.from("x");
  t.false(writeToDescriptor(new Socket(), bytes));
  for (const handle of [{}, { fd: -1, writeQueueSize: 0 }, { fd: 1, writeQueueSize: 1 }, { fd: 1 }]) {
    t.false(writeToDescriptor({ _handle: handle } as unknown as Socket, bytes));
  }
  // No file descriptor of this process.
  t.false(writeToDescriptor({ _handle: { fd: 2 ** 30, writeQueueSize: 0 } } as unknown as Socket, bytes));
});
