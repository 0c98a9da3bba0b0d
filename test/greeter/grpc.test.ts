import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Client as ConnectClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { Client, credentials, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import test from "ava";
import type { ExecutionContext } from "ava";
import { GreeterService, GreetRequestSchema } from "../../src/gen/greeter/v1/greeter_pb.ts";
import { DeadlineExceededError, InvalidArgumentError, UnavailableError } from "../../src/greeter/greeter.ts";
import type { Greeter } from "../../src/greeter/greeter.ts";
import { createGreeterClient } from "../../src/greeter/client.ts";
import type { GreeterClient } from "../../src/greeter/client.ts";
import { hostileNames } from "../hostile-names.ts";
import { buildInfo } from "../sample-build-info.ts";
import { serveGrpc } from "../platform/grpc/serve.ts";

interface Served {
  target: string;
  /** The project's own client. */
  client: GreeterClient;
  /** A client that shares no code with the server. */
  stranger: ConnectClient<typeof GreeterService>;
  reported: unknown[];
}

/** Serves a Greeter on a port of its own, to two clients. */
async function serveGreeter(t: ExecutionContext, greeter: Partial<Greeter> = {}, timeoutMs = 10_000): Promise<Served> {
  const { target, reported } = await serveGrpc(t, { greeter });
  const baseUrl = `http://${target}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const client = createGreeterClient({ target, timeoutMs });
  t.teardown(() => {
    client.close();
    sessionManager.abort();
  });
  const stranger = createClient(GreeterService, createGrpcTransport({ baseUrl, sessionManager }));
  return { target, client, stranger, reported };
}

/** Sends any bytes as one request, and tells how the call ended. */
function sendBytes(target: string, method: string, bytes: Buffer): Promise<ServiceError | null> {
  const client = new Client(target, credentials.createInsecure());
  return new Promise((resolve) => {
    const asIs = (buffer: Buffer): Buffer => buffer;
    client.makeUnaryRequest(method, asIs, asIs, bytes, (error) => {
      client.close();
      resolve(error);
    });
  });
}

test("both clients get the greeting and the version, the same facts in each", async (t) => {
  const { client, stranger } = await serveGreeter(t);
  t.is(await client.greet(), "Hello, Linky 🐙!");
  t.is((await stranger.greet({})).message, "Hello, Linky 🐙!");
  t.is(await client.greet("Bob"), "Hello, Bob!");
  t.is((await stranger.greet({ name: "Bob" })).message, "Hello, Bob!");
  t.like(await client.version(), { ...buildInfo, main: { path: "greeter" }, dependencies: [{ path: "<dep>" }] });
  t.like(await stranger.version({}), { ...buildInfo, main: { path: "greeter" }, dependencies: [{ path: "<dep>" }] });
});

test("a name that is set but empty is invalid", async (t) => {
  const { client, stranger } = await serveGreeter(t);
  const message = 'Invalid name "": expected 1 to 256 characters';
  await t.throwsAsync(client.greet(""), { instanceOf: InvalidArgumentError, message });
  const error = await t.throwsAsync(stranger.greet({ name: "" }), { instanceOf: ConnectError });
  t.is(error.code, Code.InvalidArgument);
  t.is(error.rawMessage, message);
});

for (const { title, name, valid } of hostileNames) {
  test(`a name with ${title} is ${valid ? "greeted" : "INVALID_ARGUMENT"}`, async (t) => {
    const { client, stranger } = await serveGreeter(t);
    if (valid) {
      t.is(await client.greet(name), `Hello, ${name}!`);
      t.is((await stranger.greet({ name })).message, `Hello, ${name}!`);
    } else {
      await t.throwsAsync(client.greet(name), { instanceOf: InvalidArgumentError, message: /^Invalid name / });
      const error = await t.throwsAsync(stranger.greet({ name }), { instanceOf: ConnectError });
      t.is(error.code, Code.InvalidArgument);
    }
  });
}

const malformed = {
  "bytes that are no message": [0xff, 0xff, 0xff],
  "a field that ends early": [0x0a, 0x05, 0x41],
  "a field of the wrong wire type": [0x0d, 0x01],
  "an overlong escape": [0x0a, 0x02, 0xc0, 0xaf],
  "a lone surrogate": [0x0a, 0x03, 0xed, 0xa0, 0x80],
  "half a character": [0x0a, 0x01, 0xe2],
};
for (const [title, bytes] of Object.entries(malformed)) {
  test(`a request with ${title} is INVALID_ARGUMENT, says so, and the connection lives on`, async (t) => {
    const { target, reported } = await serveGreeter(t);
    const connection = new Client(target, credentials.createInsecure());
    t.teardown(() => connection.close());
    const call = (request: Uint8Array): Promise<ServiceError | null> =>
      new Promise((resolve) => {
        const asIs = (buffer: Buffer): Buffer => buffer;
        connection.makeUnaryRequest("/greeter.v1.GreeterService/Greet", asIs, asIs, Buffer.from(request), resolve);
      });
    const error = await call(Uint8Array.from(bytes));
    t.is(error?.code, status.INVALID_ARGUMENT);
    t.regex(error?.details ?? "", /^Malformed greeter\.v1\.GreetRequest: ./);
    t.is(await call(toBinary(GreetRequestSchema, create(GreetRequestSchema, { name: "Bob" }))), null);
    t.deepEqual(reported, []);
  });
}

test("unknown fields are ignored, as an older server must", async (t) => {
  const { target } = await serveGreeter(t);
  t.is(await sendBytes(target, "/greeter.v1.GreeterService/Greet", Buffer.from([0x98, 0x06, 0x01])), null);
});

for (const method of ["/greeter.v1.GreeterService/Shout", "/greeter.v2.GreeterService/Greet", "/"]) {
  test(`the unknown method ${method} is UNIMPLEMENTED`, async (t) => {
    const { target } = await serveGreeter(t);
    t.is((await sendBytes(target, method, Buffer.alloc(0)))?.code, status.UNIMPLEMENTED);
  });
}

test("a call whose deadline passes ends with DEADLINE_EXCEEDED", async (t) => {
  const { promise: never } = Promise.withResolvers<string>();
  const { client, stranger, target } = await serveGreeter(t, { greet: () => never }, 50);
  await t.throwsAsync(client.greet(), {
    instanceOf: DeadlineExceededError,
    message: `No answer from ${target} within 50 ms`,
  });
  const error = await t.throwsAsync(stranger.greet({}, { timeoutMs: 50 }), { instanceOf: ConnectError });
  t.is(error.code, Code.DeadlineExceeded);
});

test("no build information is INTERNAL to the caller, and the reason is reported", async (t) => {
  const error = new Error("No lockfile in /secret");
  const { client, stranger, reported } = await serveGreeter(t, { version: async () => Promise.reject(error) });
  await t.throwsAsync(client.version(), { message: /^INTERNAL: Internal error \(request id [\w-]+\)$/ });
  const thrown = await t.throwsAsync(stranger.version({}), { instanceOf: ConnectError });
  t.is(thrown.code, Code.Internal);
  t.is(thrown.rawMessage, "Internal error");
  t.deepEqual(reported, [error, error]);
});

test("an unavailable service is the same error to the client as to the domain", async (t) => {
  const { client, target } = await serveGreeter(t, { greet: async () => Promise.reject(new UnavailableError("Busy")) });
  await t.throwsAsync(client.greet(), { instanceOf: UnavailableError, message: `${target} is unavailable: Busy` });
});

test("a server that is not there is unavailable, and named", async (t) => {
  const client = createGreeterClient({ target: "127.0.0.1:1", timeoutMs: 10_000 });
  t.teardown(() => client.close());
  await t.throwsAsync(client.greet(), {
    instanceOf: UnavailableError,
    message: /^127\.0\.0\.1:1 is unavailable: .*ECONNREFUSED/,
  });
});

test("the client sends no name that would arrive as another", async (t) => {
  const { client } = await serveGreeter(t);
  await t.throwsAsync(client.greet("a\uD800"), {
    instanceOf: InvalidArgumentError,
    message: 'Invalid name "a\\ud800": expected well-formed Unicode, got an unpaired surrogate',
  });
});
