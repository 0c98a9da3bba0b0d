import { once } from "node:events";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { createContext, type RequestContext } from "../../../src/platform/context.ts";
import type { PlatformConfig } from "../../../src/platform/config/settings.ts";
import type { GrpcService } from "../../../src/platform/grpc/service.ts";
import { ItemService } from "../../fixtures/gen/fixture/v1/item_pb.ts";
import { call, CHECK, itemRequest } from "./call.ts";
import { connectClient, itemServices, serveGrpc, type ServedGrpc } from "./serve.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

interface ServedContexts extends ServedGrpc {
  /** Context of each call of GetItem. */
  contexts: RequestContext[];
}

/** Serves GetItem, which responds at once, fails, or waits until the signal aborts, as its id says. */
async function serveContexts(t: ExecutionContext, config: Partial<PlatformConfig> = {}): Promise<ServedContexts> {
  const contexts: RequestContext[] = [];
  const get = async (id: string | undefined, context: RequestContext): Promise<string> => {
    contexts.push(context);
    context.log.info({ id }, "Getting the item");
    if (id === "crash") throw new Error("Crashed as asked");
    if (id === "hang") await once(context.signal, "abort");
    return "Item";
  };
  return { ...(await serveGrpc(t, { services: itemServices({ get }), ...config })), contexts };
}

test("the context has the deadline of the caller, and the time left until then", async (t) => {
  let leftMs = 0;
  let deadline = 0;
  const get = async (_: unknown, context: RequestContext): Promise<string> => {
    leftMs = context.timeLeftMs();
    deadline = context.deadline;
    return "Item";
  };
  const { target } = await serveGrpc(t, { grpcMaxTimeout: 60_000, services: itemServices({ get }) });
  const before = Date.now();
  const start = performance.now();
  await call(t, target, { deadline: before + 20_000 });
  const elapsedMs = performance.now() - start;
  // The timeout is sent in whole milliseconds, and starts when the server receives it.
  t.true(deadline >= before + 20_000 - elapsedMs - 1 && deadline <= Date.now() + 20_000, `${deadline - before} ms`);
  t.true(leftMs >= 20_000 - elapsedMs - 1 && leftMs <= 20_000, `${leftMs} ms`);

  await call(t, target);
  t.true(leftMs > 20_000 && leftMs <= 60_000, `${leftMs} ms`);
});

test("the time left is 0 after the deadline", async (t) => {
  const { target, contexts } = await serveContexts(t, { grpcMaxTimeout: 50 });
  const { code } = await call(t, target, { message: itemRequest("hang") });
  t.is(code, status.DEADLINE_EXCEEDED);
  while (contexts[0]!.timeLeftMs() > 0) await setImmediate();
  t.is(contexts[0]!.timeLeftMs(), 0);
});

test("the time left does not depend on the wall clock", (t) => {
  const context = createContext({ deadline: Date.now() + 60_000 });
  const { now } = Date;
  Date.now = () => now() + 3_600_000;
  const leftMs = context.timeLeftMs();
  Date.now = now;
  t.true(leftMs > 0 && leftMs <= 60_000, `${leftMs} ms`);
});

test("a context without a request keeps its id, and each has another id", (t) => {
  const context = createContext();
  const { requestId } = context;
  t.is(context.requestId, requestId);
  t.not(createContext().requestId, requestId);
});

test("a long-lived call without a deadline of its caller has none", async (t) => {
  const deadlines: [number, number][] = [];
  const [{ handlers, descriptor }] = itemServices({}) as [GrpcService];
  const listItems = async function* (_: unknown, context: RequestContext): AsyncGenerator<{ item: { id: string } }> {
    deadlines.push([context.deadline, context.timeLeftMs()]);
    yield { item: { id: "1" } };
  };
  const services = [{ descriptor, handlers: { ...handlers, listItems }, options: { listItems: { longLived: true } } }];
  const { target } = await serveGrpc(t, { services });
  for await (const { item } of connectClient(t, ItemService, target).listItems({})) t.is(item?.id, "1");
  t.deepEqual(deadlines, [[Infinity, Infinity]]);
});

test("the signal does not abort while the caller waits", async (t) => {
  const finish = Promise.withResolvers<string>();
  const started = Promise.withResolvers<AbortSignal>();
  const get = (_: unknown, { signal }: RequestContext): Promise<string> => {
    started.resolve(signal);
    return finish.promise;
  };
  const { target } = await serveGrpc(t, { services: itemServices({ get }) });
  const response = call(t, target);
  const signal = await started.promise;
  // A call of another caller ends meanwhile.
  t.is((await call(t, target, { path: CHECK })).code, status.OK);
  t.false(signal.aborted);
  finish.resolve("Item");
  t.is((await response).code, status.OK);
});

test("the signal aborts when the caller leaves", async (t) => {
  const { target, contexts } = await serveContexts(t);
  const caller = new AbortController();
  const left = call(t, target, { message: itemRequest("hang"), signal: caller.signal });
  while (contexts.length === 0) await setImmediate();
  const { signal } = contexts[0]!;
  t.false(signal.aborted);
  const aborted = once(signal, "abort");
  caller.abort();
  t.is((await left).code, status.CANCELLED);
  await aborted;
  t.true(signal.aborted);
});

test("the signal aborts when the deadline of the server passes", async (t) => {
  const { target, contexts } = await serveContexts(t, { grpcMaxTimeout: 100 });
  t.is((await call(t, target, { message: itemRequest("hang") })).code, status.DEADLINE_EXCEEDED);
  t.true(contexts[0]!.signal.aborted);
});

test("the signal aborts when the drain cuts the call off", async (t) => {
  const { target, contexts, server } = await serveContexts(t);
  const cut = call(t, target, { message: itemRequest("hang") });
  while (contexts.length === 0) await setImmediate();
  const { signal } = contexts[0]!;
  const aborted = once(signal, "abort");
  t.is(await server.cut(), 1);
  await aborted;
  t.not((await cut).code, status.OK);
});

test("the signal of a stream aborts when the caller leaves", async (t) => {
  const signals = new Map<string, AbortSignal>();
  async function* respond(method: string, { signal }: RequestContext): AsyncGenerator<{ id: string }> {
    signals.set(method, signal);
    yield { id: method };
    await once(signal, "abort");
  }
  const services = itemServices(
    {},
    {
      async *listItems(_, context) {
        for await (const item of respond("list", context)) yield { item };
      },
      joinItems: async (_, { signal }) => {
        signals.set("join", signal);
        await once(signal, "abort");
        return { ids: "" };
      },
      echoItems: (_, context) => respond("echo", context),
    },
  );
  const { target } = await serveGrpc(t, { services });
  const client = connectClient(t, ItemService, target);
  const caller = new AbortController();
  const options = { signal: caller.signal };
  async function* requests(): AsyncGenerator<{ id: string }> {
    yield { id: "1" };
    await once(caller.signal, "abort");
  }
  const calls = [
    Array.fromAsync(client.listItems({}, options)),
    client.joinItems(requests(), options),
    Array.fromAsync(client.echoItems(requests(), options)),
  ].map((ended) => t.throwsAsync(ended));
  while (signals.size < 3) await setImmediate();
  const aborted = [...signals.values()].map((signal) => once(signal, "abort"));
  t.false([...signals.values()].some((signal) => signal.aborted));
  caller.abort();
  await Promise.all([...calls, ...aborted]);
  t.pass();
});

for (const [title, headers, expected] of [
  ["the caller's id, if it is well formed", { "x-request-id": "abc-123" }, /^abc-123$/],
  ["a new id, if the caller's is malformed", { "x-request-id": "a b" }, /^[\da-f]{8}-[\da-f-]{27}$/],
  ["a new id, if the caller sends none", {}, /^[\da-f]{8}-[\da-f-]{27}$/],
] as const) {
  test(`the request id is ${title}, and stands in the response and in the log`, async (t) => {
    const { target, contexts, lines, logged } = await serveContexts(t);
    for (const [index, id] of ["1", "crash"].entries()) {
      const { metadata } = await call(t, target, { message: itemRequest(id), headers });
      const { requestId } = contexts[index]!;
      t.regex(requestId, expected);
      t.deepEqual(metadata.get("x-request-id"), [requestId]);
      const isOfHandler = (line: (typeof lines)[number]): boolean => line["id"] === id;
      t.like(await logged(isOfHandler), { level: "info", msg: "Getting the item", request_id: requestId });
      await logged(({ msg, request_id }) => msg === "Call" && request_id === requestId);
    }
    const { requestId } = contexts[1]!;
    t.like(await logged(({ msg }) => msg === "Request failed"), { level: "error", request_id: requestId });
  });
}

test("the context has the trace of the caller, and so have the lines of its log", async (t) => {
  const { target, contexts, logged } = await serveContexts(t);
  await call(t, target, { message: itemRequest("1"), headers: { traceparent: TRACEPARENT } });
  t.is(contexts[0]!.traceparent, TRACEPARENT);
  t.like(await logged(({ msg }) => msg === "Getting the item"), {
    trace_id: TRACEPARENT.slice(3, 35),
    span_id: TRACEPARENT.slice(36, 52),
  });
  for (const headers of [{}, { traceparent: "00-malformed" }] as Record<string, string>[]) {
    await call(t, target, { headers });
    t.is(contexts.at(-1)!.traceparent, undefined);
  }
});

test("the context has the address of the peer, without TLS", async (t) => {
  const peers: unknown[] = [];
  const get = async (_: unknown, { peer }: RequestContext): Promise<string> => {
    peers.push(peer);
    return "Item";
  };
  const { target, server } = await serveGrpc(t, { services: itemServices({ get }) });
  const accepted = once(server.listener, "connection") as Promise<[Socket]>;
  await call(t, target);
  const [{ remotePort }] = await accepted;
  t.deepEqual(peers, [{ address: "127.0.0.1", port: remotePort }]);
});

test("the metadata is the headers of the request, without pseudo-headers and without the mark of the call", async (t) => {
  const { target, contexts } = await serveContexts(t);
  await call(t, target, { headers: { "x-test": "yes", authorization: "Bearer abc" } });
  const { metadata } = contexts[0]!;
  t.like(metadata, { "x-test": "yes", authorization: "Bearer abc", "content-type": "application/grpc" });
  t.deepEqual(
    Object.keys(metadata).filter((name) => name.startsWith(":") || name === "x-call-number"),
    [],
  );
});

test("a caller that sends the mark of another call gets its own context", async (t) => {
  const { target, contexts } = await serveContexts(t);
  const caller = new AbortController();
  const first = call(t, target, {
    message: itemRequest("hang"),
    headers: { "x-request-id": "first" },
    signal: caller.signal,
  });
  while (contexts.length === 0) await setImmediate();
  // The mark of the first call of a server.
  const headers = { "x-request-id": "second", "x-call-number": "0 0" };
  const { code, metadata } = await call(t, target, { headers });
  t.is(code, status.OK);
  t.deepEqual(metadata.get("x-request-id"), ["second"]);
  t.deepEqual(
    contexts.map(({ requestId }) => requestId),
    ["first", "second"],
  );
  t.is(contexts[1]!.metadata["x-call-number"], undefined);
  caller.abort();
  await first;
});

test("the signal does not abort after a response, so that work may outlive its call", async (t) => {
  const { target, contexts, logged } = await serveContexts(t);
  const aborted: unknown[] = [];
  t.is((await call(t, target, { message: itemRequest("1") })).code, status.OK);
  contexts[0]!.signal.addEventListener("abort", (event) => aborted.push(event));
  await logged(({ msg }) => msg === "Call");
  t.false(contexts[0]!.signal.aborted);
  t.deepEqual(aborted, []);
});

test("the signal does not abort after an error", async (t) => {
  const { target, contexts, logged } = await serveContexts(t);
  t.is((await call(t, target, { message: itemRequest("crash") })).code, status.INTERNAL);
  await logged(({ msg }) => msg === "Call");
  t.false(contexts[0]!.signal.aborted);
});

test("the signal does not abort after the last message of a stream", async (t) => {
  const signals: AbortSignal[] = [];
  const services = itemServices(
    {},
    {
      async *listItems(_, { signal }) {
        signals.push(signal);
        yield { item: { id: "1" } };
      },
      async *echoItems(requests, { signal }) {
        signals.push(signal);
        for await (const { id } of requests) yield { id };
      },
    },
  );
  const { target, logged } = await serveGrpc(t, { services });
  for (const method of ["ListItems", "EchoItems"]) {
    t.is((await call(t, target, { path: `/fixture.v1.ItemService/${method}` })).code, status.OK);
    await logged(({ msg, ...line }) => msg === "Call" && line["method"] === `fixture.v1.ItemService/${method}`);
  }
  t.deepEqual(
    signals.map(({ aborted }) => aborted),
    [false, false],
  );
});
