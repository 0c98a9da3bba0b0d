import { getEventListeners, once } from "node:events";
import { connect as connectSocket, createServer, type AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { createContext, type RequestContext } from "../../../src/platform/context.ts";
import { ServiceError } from "../../../src/platform/errors.ts";
import { createGrpcClient, type GrpcClient } from "../../../src/platform/grpc/client.ts";
import type { Tracing } from "../../../src/platform/telemetry/tracing.ts";
import { ItemService } from "../../fixtures/gen/fixture/v1/item_pb.ts";
import type { Items } from "../../fixtures/items.ts";
import { itemServices, serveGrpc } from "./serve.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const { getItem, createItem } = ItemService.method;

/** Serves the fixture service with some functions of its domain replaced, to the platform's client. */
async function serveClient(
  t: ExecutionContext,
  items: Partial<Items>,
  tracing?: Tracing,
): Promise<GrpcClient & { target: string }> {
  const { target } = await serveGrpc(t, { services: itemServices(items) });
  return { ...connect(t, target, tracing), target };
}

function connect(t: ExecutionContext, target: string, tracing?: Tracing): GrpcClient {
  const client = createGrpcClient(ItemService, { target, tracing });
  t.teardown(() => client.close());
  return client;
}

/** Creates a context with a deadline that no test reaches. */
function soon(): ReturnType<typeof createContext> {
  return createContext({ deadline: Date.now() + 30_000 });
}

/** Serves GetItem, which never responds and records its context. */
function neverResponding(): { get: Items["get"]; contexts: RequestContext[] } {
  const contexts: RequestContext[] = [];
  return {
    contexts,
    get: (_, context) => {
      contexts.push(context);
      return new Promise(() => {});
    },
  };
}

test("the client calls the server, and fails with the error of its domain", async (t) => {
  const { call } = await serveClient(t, {});
  t.is((await call(getItem, { id: "1" }, soon())).text, "Item 1");
  t.like(await call(createItem, { item: { id: "1" } }, soon()), { item: { id: "1" }, count: 1 });
  const error = await t.throwsAsync(call(getItem, { id: "fail NOT_FOUND" }, soon()), { instanceOf: ServiceError });
  t.is(error.code, "NOT_FOUND");
  t.is(error.message, "As asked");
});

test("an internal error names the request that the server has logged", async (t) => {
  const { call } = await serveClient(t, {});
  const context = createContext({ deadline: Date.now() + 30_000, record: { requestId: "abc" } });
  const error = await t.throwsAsync(call(getItem, { id: "crash" }, context), { instanceOf: ServiceError });
  t.is(error.code, "INTERNAL");
  t.is(error.message, "Internal error (request id abc)");
});

/** Returns a function that fails with UNAVAILABLE a number of times, and counts its calls. */
function failingFirst<Result>(failures: number, result: Result): { run: () => Promise<Result>; calls: () => number } {
  let calls = 0;
  const run = async (): Promise<Result> => {
    if (++calls <= failures) throw new ServiceError("UNAVAILABLE", "Busy");
    return result;
  };
  return { run, calls: () => calls };
}

test("an idempotent method is retried if the server is unavailable", async (t) => {
  const { run, calls } = failingFirst(1, "Item");
  const { call } = await serveClient(t, { get: run });
  t.is((await call(getItem, {}, soon())).text, "Item");
  t.is(calls(), 2);
});

test("an idempotent method is called at most four times", async (t) => {
  const { run, calls } = failingFirst(100, "Item");
  const { call, target } = await serveClient(t, { get: run });
  const error = await t.throwsAsync(call(getItem, {}, soon()), { instanceOf: ServiceError });
  t.is(error.code, "UNAVAILABLE");
  t.is(error.message, `${target} is unavailable: Busy`);
  t.is(calls(), 4);
});

test("a client stops retrying when many calls fail", async (t) => {
  const { run, calls } = failingFirst(100, "Item");
  const { call } = await serveClient(t, { get: run });
  for (let count = 0; count < 10; count++) await t.throwsAsync(call(getItem, {}, soon()), { message: /Busy/ });
  // Retries stop after five failures: the first call is retried three times, and the other nine are not.
  t.is(calls(), 13);
});

test("a method that is not idempotent is not retried", async (t) => {
  const { run, calls } = failingFirst(1, 1);
  const { call } = await serveClient(t, { create: run });
  const error = await t.throwsAsync(call(createItem, { item: { id: "1" } }, soon()), { instanceOf: ServiceError });
  t.is(error.code, "UNAVAILABLE");
  t.is(calls(), 1);
  t.is((await call(createItem, { item: { id: "1" } }, soon())).count, 1);
});

test("other errors of an idempotent method are not retried", async (t) => {
  let calls = 0;
  const get = async (): Promise<never> => {
    calls++;
    throw new ServiceError("RESOURCE_EXHAUSTED", "Full");
  };
  const { call } = await serveClient(t, { get });
  await t.throwsAsync(call(getItem, {}, soon()), { message: "Full" });
  t.is(calls, 1);
});

test("the deadline of the context ends the call", async (t) => {
  const { get, contexts } = neverResponding();
  const { call, target } = await serveClient(t, { get });
  // The first call opens the connection, so that the second one reaches the handler before its deadline.
  await call(createItem, { item: { id: "1" } }, soon());
  const deadline = Date.now() + 500;
  const error = await t.throwsAsync(call(getItem, {}, createContext({ deadline })), { instanceOf: ServiceError });
  t.true(Date.now() >= deadline - 1);
  t.is(error.code, "DEADLINE_EXCEEDED");
  t.is(error.message, `No answer from ${target} before the deadline`);
  // The server gets the deadline, too: its own one would be later.
  t.true(contexts[0]!.deadline < deadline + 10_000, `${contexts[0]!.deadline - deadline} ms`);
});

test("the signal of the context cancels the call", async (t) => {
  const { get, contexts } = neverResponding();
  const { call } = await serveClient(t, { get });
  const context = soon();
  const cancelled = t.throwsAsync(call(getItem, {}, context), { instanceOf: ServiceError });
  while (contexts.length === 0) await setImmediate();
  const aborted = once(contexts[0]!.signal, "abort");
  context.abort();
  t.is((await cancelled).code, "CANCELLED");
  await aborted;
});

test("a context that is aborted already cancels the call at once", async (t) => {
  const { get, contexts } = neverResponding();
  const { call } = await serveClient(t, { get });
  const context = soon();
  context.abort();
  const error = await t.throwsAsync(call(getItem, {}, context), { instanceOf: ServiceError });
  t.is(error.code, "CANCELLED");
  // A later call reaches the server, and the cancelled one does not.
  await call(createItem, { item: { id: "1" } }, soon());
  t.is(contexts.length, 0);
});

test("a call that has ended leaves no listener on the signal", async (t) => {
  const { call } = await serveClient(t, {});
  const context = soon();
  await call(getItem, {}, context);
  await t.throwsAsync(call(getItem, { id: "fail ABORTED" }, context));
  t.deepEqual(getEventListeners(context.signal, "abort"), []);
});

test("the request id and the trace of the context go with the call", async (t) => {
  const contexts: RequestContext[] = [];
  const get = async (_: unknown, context: RequestContext): Promise<string> => {
    contexts.push(context);
    return "Item";
  };
  const { call } = await serveClient(t, { get });
  const record = { requestId: "abc", traceparent: TRACEPARENT };
  const deadline = Date.now() + 30_000;
  await call(getItem, {}, createContext({ deadline, record, metadata: { tracestate: "vendor=1", "x-test": "yes" } }));
  const [received] = contexts as [RequestContext];
  t.is(received.requestId, "abc");
  t.is(received.traceparent, TRACEPARENT);
  t.is(received.metadata["tracestate"], "vendor=1");
  // Other headers of the caller may be meant for this service alone.
  t.is(received.metadata["x-test"], undefined);

  await call(getItem, {}, createContext({ deadline }));
  const [, untraced] = contexts as [RequestContext, RequestContext];
  t.is(untraced.traceparent, undefined);
  t.is(untraced.metadata["tracestate"], undefined);
});

test("a traced call is a span, whose trace context goes with the call", async (t) => {
  const started: Parameters<Tracing["start"]>[0][] = [];
  const ended: object[] = [];
  const traceparent = TRACEPARENT.replace("b7ad6b7169203331", "00f067aa0ba902b7");
  const tracing: Tracing = {
    start: (span) => {
      started.push(span);
      return { traceparent, end: (end) => ended.push(end) };
    },
    close: async () => {},
  };
  const received: (string | undefined)[] = [];
  const get = async (id: string | undefined, context: RequestContext): Promise<string> => {
    received.push(context.traceparent);
    if (id === "fail") throw new ServiceError("ABORTED", "As asked");
    return "Item";
  };
  const { call, target } = await serveClient(t, { get }, tracing);
  const context = createContext({ deadline: Date.now() + 30_000, record: { traceparent: TRACEPARENT } });
  await call(getItem, {}, context);
  await t.throwsAsync(call(getItem, { id: "fail" }, context));
  t.deepEqual(received, [traceparent, traceparent]);
  const [host, port] = target.split(":");
  t.like(started[0], {
    name: "fixture.v1.ItemService/GetItem",
    kind: "client",
    parent: { traceparent: TRACEPARENT },
    attributes: { "server.address": host, "server.port": Number(port) },
  });
  t.deepEqual(ended, [
    { attributes: { "rpc.status_code": "OK" }, error: undefined },
    { attributes: { "rpc.status_code": "ABORTED" }, error: "ABORTED" },
  ]);
});

test("a server that does not listen is UNAVAILABLE, and named", async (t) => {
  const { target } = await serveGrpc(t);
  const { hostname, port } = new URL(`http://${target}`);
  // No other process can listen on the port of a client.
  const socket = connectSocket(Number(port), hostname);
  t.teardown(() => socket.destroy());
  await once(socket, "connect");
  const refused = `127.0.0.1:${socket.localPort}`;
  const error = await t.throwsAsync(connect(t, refused).call(getItem, {}, soon()), { instanceOf: ServiceError });
  t.is(error.code, "UNAVAILABLE");
  t.true(error.message.startsWith(`${refused} is unavailable: `), error.message);
  t.regex(error.message, /ECONNREFUSED/);
});

test("a server that accepts connections and does not answer is DEADLINE_EXCEEDED, and named", async (t) => {
  const silent = createServer((socket) => {
    socket.on("error", () => {}).resume();
    t.teardown(() => socket.destroy());
  });
  t.teardown(() => silent.close());
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const target = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { call } = connect(t, target);
  const context = createContext({ deadline: Date.now() + 100 });
  const error = await t.throwsAsync(call(getItem, {}, context), { instanceOf: ServiceError });
  t.is(error.code, "DEADLINE_EXCEEDED");
  t.is(error.message, `No answer from ${target} before the deadline`);
});

test("a closed client fails", async (t) => {
  const { call, close } = await serveClient(t, {});
  close();
  await t.throwsAsync(call(getItem, {}, soon()));
});
