import { Code, ConnectError, type Client } from "@connectrpc/connect";
import test, { type ExecutionContext } from "ava";
import { GreeterService } from "../../src/gen/greeter/v1/greeter_pb.ts";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { createGreeter, type Greeter } from "../../src/greeter/greeter.ts";
import { greeterService } from "../../src/greeter/grpc.ts";
import { createContext } from "../../src/platform/context.ts";
import { ServiceError } from "../../src/platform/errors.ts";
import { hostileNames } from "../hostile-names.ts";
import { connectClient, serveGrpc, type ServedGrpc } from "../platform/grpc/serve.ts";
import { buildInfo } from "../sample-build-info.ts";

interface ServedGreeter extends ServedGrpc {
  /** The project's own client. */
  client: Greeter;
  /** A client that shares no code with the server. */
  stranger: Client<typeof GreeterService>;
}

/** Serves a greeter on a port of its own, to two clients. */
async function serveGreeter(t: ExecutionContext, readBuildInfo = async () => buildInfo): Promise<ServedGreeter> {
  const served = await serveGrpc(t, { services: [greeterService(createGreeter("Hello", readBuildInfo))] });
  const client = createGreeterClient({ target: served.target });
  t.teardown(() => client.close());
  return { ...served, client, stranger: connectClient(t, GreeterService, served.target) };
}

const context = createContext({ deadline: Date.now() + 60_000 });

test("both clients get the greeting and the same build information", async (t) => {
  const { client, stranger } = await serveGreeter(t);
  t.is(await client.greet(undefined, context), "Hello, Linky 🐙!");
  t.is((await stranger.greet({})).message, "Hello, Linky 🐙!");
  t.is(await client.greet("Bob", context), "Hello, Bob!");
  t.is((await stranger.greet({ name: "Bob" })).message, "Hello, Bob!");
  const expected = { ...buildInfo, main: { path: "greeter" }, dependencies: [{ path: "<dep>" }] };
  t.like(await client.version(context), expected);
  t.like(await stranger.version({}), expected);
});

test("an empty name is INVALID_ARGUMENT", async (t) => {
  const { client, stranger } = await serveGreeter(t);
  const message = 'Invalid name "": expected 1 to 256 characters';
  const own = await t.throwsAsync(client.greet("", context), { instanceOf: ServiceError, message });
  t.is(own.code, "INVALID_ARGUMENT");
  const error = await t.throwsAsync(stranger.greet({ name: "" }), { instanceOf: ConnectError });
  t.is(error.code, Code.InvalidArgument);
  t.is(error.rawMessage, message);
});

for (const { title, name, valid } of hostileNames) {
  test(`a name with ${title} is ${valid ? "greeted" : "INVALID_ARGUMENT"}`, async (t) => {
    const { client, stranger } = await serveGreeter(t);
    if (valid) {
      t.is(await client.greet(name, context), `Hello, ${name}!`);
      t.is((await stranger.greet({ name })).message, `Hello, ${name}!`);
    } else {
      const expected = { instanceOf: ServiceError, message: /^Invalid name / };
      t.is((await t.throwsAsync(client.greet(name, context), expected)).code, "INVALID_ARGUMENT");
      const error = await t.throwsAsync(stranger.greet({ name }), { instanceOf: ConnectError });
      t.is(error.code, Code.InvalidArgument);
    }
  });
}

test("the client does not send a name with an unpaired surrogate, which would arrive as another name", async (t) => {
  const { client, samples } = await serveGreeter(t);
  const error = await t.throwsAsync(client.greet("a\uD800", context), {
    instanceOf: ServiceError,
    message: 'Invalid name "a\\ud800": expected well-formed Unicode, got an unpaired surrogate',
  });
  t.is(error.code, "INVALID_ARGUMENT");
  const counts = Object.values(samples("rpc_server_call_duration_seconds_count"));
  t.is(Math.max(...counts), 0);
});

test("missing build information is INTERNAL, and its reason is only logged", async (t) => {
  const { client, stranger, logged, lines } = await serveGreeter(t, async () => {
    throw new Error("No lockfile in /secret");
  });
  const own = await t.throwsAsync(client.version(context), { instanceOf: ServiceError });
  t.is(own.code, "INTERNAL");
  t.is(own.message, `Internal error (request id ${context.requestId})`);
  const thrown = await t.throwsAsync(stranger.version({}), { instanceOf: ConnectError });
  t.is(thrown.code, Code.Internal);
  t.is(thrown.rawMessage, "Internal error");
  const isFailure = ({ msg }: (typeof lines)[number]): boolean => msg === "Request failed";
  await logged((line) => isFailure(line) && line["request_id"] !== context.requestId);
  for (const { err } of lines.filter(isFailure)) t.like(err, { message: "No lockfile in /secret" });
  t.is(lines.filter(isFailure).length, 2);
});
