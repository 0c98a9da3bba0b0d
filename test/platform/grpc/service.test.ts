import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import type { DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, file_google_protobuf_wrappers } from "@bufbuild/protobuf/wkt";
import type { StringValue, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import test from "ava";
import type { ExecutionContext } from "ava";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import { DeadlineExceededError, InvalidArgumentError, UnavailableError } from "../../../src/greeter/greeter.ts";
import type { CallContext } from "../../../src/platform/grpc/handler.ts";
import { addService } from "../../../src/platform/grpc/service.ts";
import type { Implementation } from "../../../src/platform/grpc/service.ts";

/** A service with a method of every kind: strings in, strings out. */
type KindsService = GenService<{
  one: { methodKind: "unary"; input: typeof StringValueSchema; output: typeof StringValueSchema };
  down: { methodKind: "server_streaming"; input: typeof StringValueSchema; output: typeof StringValueSchema };
  up: { methodKind: "client_streaming"; input: typeof StringValueSchema; output: typeof StringValueSchema };
  both: { methodKind: "bidi_streaming"; input: typeof StringValueSchema; output: typeof StringValueSchema };
}>;

function kindsService(): KindsService {
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

const echo: Implementation<KindsService> = {
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

/** Serves the service on a port of its own, to a client that shares no code with it. */
async function serveKinds(
  t: ExecutionContext,
  overrides: Partial<Implementation<KindsService>>,
): Promise<{ client: Client<KindsService>; reported: unknown[][] }> {
  const service = kindsService();
  const server = new Server();
  const reported: unknown[][] = [];
  addService(server, service, { ...echo, ...overrides }, { report: (error, method) => reported.push([error, method]) });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  t.teardown(() => server.forceShutdown());
  return { client: createClient(service, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` })), reported };
}

async function* strings(...values: string[]): AsyncGenerator<{ value: string }> {
  for (const value of values) yield { value };
}

async function received(messages: AsyncIterable<StringValue>): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of messages) values.push(value);
  return values;
}

test("serves all four kinds of method", async (t) => {
  const { client } = await serveKinds(t, {});
  t.is((await client.one({ value: "abc" })).value, "ABC");
  t.deepEqual(await received(client.down({ value: "abc" })), ["a", "b", "c"]);
  t.is((await client.up(strings("a", "b"))).value, "ab");
  t.deepEqual(await received(client.both(strings("a", "b"))), ["A", "B"]);
});

test("produces a stream no faster than its reader takes it", async (t) => {
  const count = 2000;
  let produced = 0;
  const { client } = await serveKinds(t, {
    async *down() {
      for (; produced < count; produced += 1) yield { value: "x".repeat(10_000) };
    },
  });
  const messages = client.down({})[Symbol.asyncIterator]();
  await messages.next();
  let before = -1;
  while (produced !== before) {
    before = produced;
    await sleep(100);
  }
  t.true(produced < count / 2, `${produced} were produced for a reader that took one`);
  let taken = 1;
  while (!(await messages.next()).done) taken += 1;
  t.is(taken, count);
});

const errors = [
  { error: new InvalidArgumentError("Wrong"), code: Code.InvalidArgument, message: "Wrong", reports: 0 },
  { error: new UnavailableError("Busy"), code: Code.Unavailable, message: "Busy", reports: 0 },
  { error: new DeadlineExceededError("Late"), code: Code.DeadlineExceeded, message: "Late", reports: 0 },
  { error: new Error("secret"), code: Code.Internal, message: "Internal error", reports: 1 },
  { error: "secret", code: Code.Internal, message: "Internal error", reports: 1 },
  { error: undefined, code: Code.Internal, message: "Internal error", reports: 1 },
];
for (const { error, code, message, reports } of errors) {
  test(`a handler that throws ${String(error)} ends its call with ${Code[code]}, once`, async (t) => {
    const fail = (): never => {
      throw error;
    };
    const { client, reported } = await serveKinds(t, {
      one: async () => fail(),
      // oxlint-disable-next-line require-yield -- it fails first
      async *down() {
        fail();
      },
      up: fail,
      both: fail,
    });
    const calls = {
      One: () => client.one({}),
      Down: () => received(client.down({})),
      Up: () => client.up(strings("a")),
      Both: () => received(client.both(strings("a"))),
    };
    for (const [method, call] of Object.entries(calls)) {
      const thrown = await t.throwsAsync(call(), { instanceOf: ConnectError });
      t.is(thrown.code, code);
      t.is(thrown.rawMessage, message);
      t.deepEqual(reported.splice(0), reports ? [[error, `test.v1.KindsService/${method}`]] : []);
    }
  });
}

test("a stream that fails after some messages delivers them, and then its status", async (t) => {
  const { client } = await serveKinds(t, {
    async *down() {
      yield { value: "a" };
      throw new UnavailableError("Draining");
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

test("a handler may answer before it has read every request", async (t) => {
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

test("the context's signal aborts when the caller goes away, and nobody is blamed", async (t) => {
  let started = Promise.withResolvers<void>();
  const ended: Promise<unknown>[] = [];
  const untilAborted = ({ signal }: CallContext): Promise<never> => {
    const aborted = once(signal, "abort").then(() => signal.throwIfAborted()) as Promise<never>;
    ended.push(aborted.catch(() => {}));
    started.resolve();
    return aborted;
  };
  const { client, reported } = await serveKinds(t, {
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
  await sleep(10);
  t.deepEqual(reported, []);
});

test("an answer that is no message is INTERNAL, and reported", async (t) => {
  const notText = {
    toString: () => {
      throw new Error("No text");
    },
  };
  const { client, reported } = await serveKinds(t, {
    one: async () => ({ value: notText as unknown as string }),
  });
  const error = await t.throwsAsync(client.one({}), { instanceOf: ConnectError });
  t.is(error.code, Code.Internal);
  t.is(error.rawMessage, "Internal error");
  t.is(reported.length, 1);
});

test("the context tells the caller's metadata and deadline", async (t) => {
  const { client } = await serveKinds(t, {
    one: async (_, { metadata, deadline }) => ({ value: `${metadata.get("x-test").join()} ${deadline - Date.now()}` }),
  });
  const [header, left] = (await client.one({}, { headers: { "x-test": "yes" }, timeoutMs: 60_000 })).value.split(" ");
  t.is(header, "yes");
  t.true(Number(left) > 0 && Number(left) <= 60_000);
  t.is((await client.one({})).value.split(" ")[1], "Infinity");
});

const context = { report: (): void => {} };
const service = kindsService();
const text = create(FileDescriptorProtoSchema);

// Each of these must not compile: `tsc` fails on an expectation that is not met.
export function mistakes(server: Server): void {
  addService(server, service, echo, context);
  const { one: _, ...rest } = echo;
  // @ts-expect-error -- a method is missing
  addService(server, service, rest, context);
  // @ts-expect-error -- a method is misspelt
  addService(server, service, { ...rest, onne: echo.one }, context);
  // @ts-expect-error -- a field has the wrong type
  addService(server, service, { ...echo, one: async () => ({ value: 1 }) }, context);
  // @ts-expect-error -- a field has the wrong name
  addService(server, service, { ...echo, one: async () => ({ text: "" }) }, context);
  // @ts-expect-error -- the message is another one
  addService(server, service, { ...echo, one: async () => text }, context);
  // @ts-expect-error -- the request has no such field
  addService(server, service, { ...echo, one: async ({ vlaue }) => ({ value: vlaue }) }, context);
  // @ts-expect-error -- the answer is not promised
  addService(server, service, { ...echo, one: () => ({ value: "" }) }, context);
  // @ts-expect-error -- one message, where the method has a stream of them
  addService(server, service, { ...echo, down: echo.one }, context);
}
