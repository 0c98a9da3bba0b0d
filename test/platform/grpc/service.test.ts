import { once } from "node:events";
import { PassThrough } from "node:stream";
import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
  type StringValue,
  type StringValueSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Client } from "@connectrpc/connect";
import { Metadata } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import type { RequestContext } from "../../../src/platform/context.ts";
import { ServiceError } from "../../../src/platform/errors.ts";
import type { CallRegistry } from "../../../src/platform/grpc/calls.ts";
import { grpcHandler } from "../../../src/platform/grpc/handler.ts";
import { service, type Handlers } from "../../../src/platform/grpc/service.ts";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { connectClient, serveGrpc, type ServedGrpc } from "./serve.ts";

/** Service with a method of every kind, from strings to strings. */
type KindsService = GenService<{
  one: { methodKind: "unary"; input: typeof StringValueSchema; output: typeof StringValueSchema };
  down: { methodKind: "server_streaming"; input: typeof StringValueSchema; output: typeof StringValueSchema };
  up: { methodKind: "client_streaming"; input: typeof StringValueSchema; output: typeof StringValueSchema };
  both: { methodKind: "bidi_streaming"; input: typeof StringValueSchema; output: typeof StringValueSchema };
}>;

function describeKinds(): KindsService {
  const string = { inputType: ".google.protobuf.StringValue", outputType: ".google.protobuf.StringValue" };
  const file = create(FileDescriptorProtoSchema, {
    name: "kinds.proto",
    package: "test.v1",
    syntax: "proto3",
    dependency: ["google/protobuf/wrappers.proto"],
    service: [
      {
        name: "KindsService",
        method: [
          { name: "One", ...string },
          { name: "Down", serverStreaming: true, ...string },
          { name: "Up", clientStreaming: true, ...string },
          { name: "Both", clientStreaming: true, serverStreaming: true, ...string },
        ],
      },
    ],
  });
  const registry = createFileRegistry(file, () => file_google_protobuf_wrappers);
  return registry.getService("test.v1.KindsService") as DescService as KindsService;
}

const KindsService = describeKinds();

const echo: Handlers<KindsService> = {
  one: async ({ value }) => ({ value: value.toUpperCase() }),
  async *down({ value }) {
    for (const letter of value) yield { value: letter };
  },
  async up(requests) {
    let value = "";
    for await (const request of requests) value += request.value;
    return { value };
  },
  async *both(requests) {
    for await (const { value } of requests) yield { value: value.toUpperCase() };
  },
};

interface ServedKinds extends ServedGrpc {
  client: Client<KindsService>;
  /** Resolves when a call has ended, and returns the lines about failed requests so far. */
  failures: () => Promise<ServedGrpc["lines"]>;
}

/** Serves the service with some of its handlers replaced, to a client that shares no code with the server. */
async function serveKinds(t: ExecutionContext, handlers: Partial<Handlers<KindsService>>): Promise<ServedKinds> {
  const served = await serveGrpc(t, { services: [service(KindsService, { ...echo, ...handlers })] });
  let count = 0;
  const failures = async (): Promise<ServedGrpc["lines"]> => {
    // The log keeps the order, so the line of a later call comes after every line of the calls before.
    const requestId = `last-${count++}`;
    const other = connectClient(t, KindsService, served.target);
    await other.up(strings(), { headers: { "x-request-id": requestId } }).catch(() => {});
    await served.logged(({ msg, request_id }) => msg === "Call" && request_id === requestId);
    return served.lines.filter(({ msg, request_id }) => msg === "Request failed" && request_id !== requestId);
  };
  return { ...served, client: connectClient(t, KindsService, served.target), failures };
}

async function* strings(...values: string[]): AsyncGenerator<{ value: string }> {
  for (const value of values) yield { value };
}

async function received(messages: AsyncIterable<StringValue>): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of messages) values.push(value);
  return values;
}

test("a service serves all four kinds of method", async (t) => {
  const { client } = await serveKinds(t, {});
  t.is((await client.one({ value: "abc" })).value, "ABC");
  t.deepEqual(await received(client.down({ value: "abc" })), ["a", "b", "c"]);
  t.is((await client.up(strings("a", "b"))).value, "ab");
  t.deepEqual(await received(client.both(strings("a", "b"))), ["A", "B"]);
});

test("a handler produces a stream only as fast as its client reads", async (t) => {
  const count = 2000;
  let produced = 0;
  const { client, target } = await serveKinds(t, {
    async *down() {
      for (; produced < count; produced++) yield { value: "x".repeat(10_000) };
    },
  });
  const messages = client.down({})[Symbol.asyncIterator]();
  await messages.next();
  // Without backpressure, the handler would produce everything before the server reads the next call.
  await connectClient(t, KindsService, target).one({});
  t.true(produced < count / 2, `${produced} messages for a client that read one`);
  let read = 1;
  while (!(await messages.next()).done) read++;
  t.is(read, count);
});

/** Headers of a call. */
interface Options {
  headers: Record<string, string>;
}

const errors = [
  { error: new ServiceError("INVALID_ARGUMENT", "Wrong"), code: Code.InvalidArgument, message: "Wrong" },
  { error: new ServiceError("UNAVAILABLE", "Busy"), code: Code.Unavailable, message: "Busy" },
  { error: new ServiceError("DEADLINE_EXCEEDED", "Late"), code: Code.DeadlineExceeded, message: "Late" },
  { error: new Error("secret"), code: Code.Internal, message: "Internal error", logged: { message: "secret" } },
  { error: "secret", code: Code.Internal, message: "Internal error", logged: "secret" },
  { error: undefined, code: Code.Internal, message: "Internal error", logged: undefined },
];
for (const { error, code, message, ...expected } of errors) {
  test(`a handler that throws ${String(error)} ends its call with ${Code[code]}, and logs only an internal error`, async (t) => {
    const fail = (): never => {
      throw error;
    };
    const { client, failures } = await serveKinds(t, {
      one: async () => fail(),
      // oxlint-disable-next-line require-yield -- it fails first
      async *down() {
        fail();
      },
      up: fail,
      both: fail,
    });
    const calls = {
      One: (options: Options) => client.one({}, options),
      Down: (options: Options) => received(client.down({}, options)),
      Up: (options: Options) => client.up(strings("a"), options),
      Both: (options: Options) => received(client.both(strings("a"), options)),
    };
    for (const [method, call] of Object.entries(calls)) {
      const thrown = await t.throwsAsync(call({ headers: { "x-request-id": method } }), { instanceOf: ConnectError });
      t.is(thrown.code, code);
      t.is(thrown.rawMessage, message);
      const lines = (await failures()).filter(({ request_id }) => request_id === method);
      t.is(lines.length, "logged" in expected ? 1 : 0);
      for (const line of lines) t.like(line, { level: "error", request: `test.v1.KindsService/${method}` });
      for (const { err } of lines) {
        if (typeof expected.logged === "object") t.like(err, expected.logged);
        else t.is(err, expected.logged);
      }
    }
  });
}

test("a stream that fails after some messages delivers them before its status", async (t) => {
  const { client } = await serveKinds(t, {
    async *down() {
      yield { value: "a" };
      throw new ServiceError("UNAVAILABLE", "Draining");
    },
  });
  const values: string[] = [];
  const thrown = await t.throwsAsync(
    async () => {
      for await (const { value } of client.down({})) values.push(value);
    },
    { instanceOf: ConnectError },
  );
  t.deepEqual(values, ["a"]);
  t.is(thrown.code, Code.Unavailable);
});

test("a handler may respond before it has read every request", async (t) => {
  const { client } = await serveKinds(t, {
    async *both(requests) {
      for await (const { value } of requests) {
        yield { value };
        return;
      }
    },
    async up(requests) {
      for await (const { value } of requests) return { value };
      return {};
    },
  });
  t.deepEqual(await received(client.both(strings("a", "b", "c"))), ["a"]);
  t.is((await client.up(strings("a", "b"))).value, "a");
});

test("a call whose client leaves aborts the signal, and the error that follows is not logged", async (t) => {
  let started = Promise.withResolvers<void>();
  const ended: Promise<unknown>[] = [];
  const untilAborted = ({ signal }: RequestContext): Promise<never> => {
    const aborted = once(signal, "abort").then(() => signal.throwIfAborted()) as Promise<never>;
    ended.push(aborted.catch(() => {}));
    started.resolve();
    return aborted;
  };
  const { client, failures } = await serveKinds(t, {
    one: (_, context) => untilAborted(context),
    async *down(_, context) {
      yield { value: "a" };
      await untilAborted(context);
    },
  });
  for (const call of [
    (signal: AbortSignal) => client.one({}, { signal }),
    (signal: AbortSignal) => received(client.down({}, { signal })),
  ]) {
    started = Promise.withResolvers();
    const caller = new AbortController();
    const called = t.throwsAsync(call(caller.signal));
    await started.promise;
    caller.abort();
    await called;
  }
  await Promise.all(ended);
  t.is(ended.length, 2);
  t.deepEqual(await failures(), []);
});

test("a handler ends when its client leaves without reading", async (t) => {
  const ended = Promise.withResolvers<void>();
  const { client, target, failures } = await serveKinds(t, {
    async *down() {
      try {
        for (;;) yield { value: "x".repeat(10_000) };
      } finally {
        ended.resolve();
      }
    },
  });
  const caller = new AbortController();
  const messages = client.down({}, { signal: caller.signal })[Symbol.asyncIterator]();
  await messages.next();
  // The handler waits for its client when the server answers a later call.
  await connectClient(t, KindsService, target).one({});
  caller.abort();
  await ended.promise;
  t.deepEqual(await failures(), []);
});

test("a long-lived call that has ended leaves no listener on its connection", async (t) => {
  const listeners = new Set<() => void>();
  const onClosing = (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const serverCall = { record: {}, headers: {}, connection: { socket: {}, onClosing } };
  const registry = { callOf: () => serverCall } as unknown as CallRegistry;
  let listening = 0;
  async function* handler(): AsyncGenerator<{ value: string }> {
    listening = listeners.size;
    yield { value: "a" };
  }
  const method = { name: "Down", descriptor: KindsService.method.down, handler, options: { longLived: true } };
  const handle = grpcHandler(method, createAdmission(1), registry) as (call: unknown) => void;
  const call = new PassThrough({ objectMode: true });
  handle(Object.assign(call, { metadata: new Metadata(), request: Buffer.alloc(0), getDeadline: () => Infinity }));
  await once(call.resume(), "end");
  t.is(listening, 1);
  t.is(listeners.size, 0);
});

test("a response that cannot be encoded is INTERNAL, and logged", async (t) => {
  const notText = {
    toString: () => {
      throw new Error("No text");
    },
  };
  const { client, failures } = await serveKinds(t, {
    one: async () => ({ value: notText as unknown as string }),
  });
  const error = await t.throwsAsync(client.one({}), { instanceOf: ConnectError });
  t.is(error.code, Code.Internal);
  t.is(error.rawMessage, "Internal error");
  t.is((await failures()).length, 1);
});

const text = create(FileDescriptorProtoSchema);

/** Mistakes that must not compile: `tsc` fails if it finds no error after an expectation. */
export function mistakes(): void {
  service(KindsService, echo);
  const { one: _, ...rest } = echo;
  // @ts-expect-error -- a method is missing
  service(KindsService, rest);
  // @ts-expect-error -- a method is misspelt
  service(KindsService, { ...rest, onne: echo.one });
  // @ts-expect-error -- a field has the wrong type
  service(KindsService, { ...echo, one: async () => ({ value: 1 }) });
  // @ts-expect-error -- a field has the wrong name
  service(KindsService, { ...echo, one: async () => ({ text: "" }) });
  // @ts-expect-error -- the message is of another type
  service(KindsService, { ...echo, one: async () => text });
  // @ts-expect-error -- the request has no such field
  service(KindsService, { ...echo, one: async ({ vlaue }) => ({ value: vlaue }) });
  // @ts-expect-error -- the response is no promise
  service(KindsService, { ...echo, one: () => ({ value: "" }) });
  // @ts-expect-error -- the method returns a stream
  service(KindsService, { ...echo, down: echo.one });
  // @ts-expect-error -- the options name an unknown method
  service(KindsService, echo, { onne: { exempt: true } });
}
