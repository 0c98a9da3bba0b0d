import { setImmediate } from "node:timers/promises";
import { createFileRegistry, create, fromBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import test from "ava";
import type { ExecutionContext } from "ava";
import { ServerReflection } from "../../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import type {
  ServerReflectionRequestSchema,
  ServerReflectionResponse,
} from "../../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { GrpcServer } from "../../../src/platform/grpc/server.ts";
import { frameClient } from "./frames.ts";
import { serveGrpc } from "./serve.ts";

type Request = MessageInitShape<typeof ServerReflectionRequestSchema>;
type Answer = ServerReflectionResponse["messageResponse"];

interface Reflected {
  /** Asks each question on one stream, and gives the answers. */
  ask: (...requests: Request[]) => Promise<ServerReflectionResponse[]>;
  server: GrpcServer;
}

async function serveReflection(
  t: ExecutionContext,
  service: typeof ServerReflection | typeof ServerReflectionAlpha = ServerReflection,
  reflection = true,
): Promise<Reflected> {
  const { server, target } = await serveGrpc(t, { reflection });
  const baseUrl = `http://${target}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  t.teardown(() => sessionManager.abort());
  const client = createClient(service as typeof ServerReflection, createGrpcTransport({ baseUrl, sessionManager }));
  const ask = async (...requests: Request[]): Promise<ServerReflectionResponse[]> => {
    const responses: ServerReflectionResponse[] = [];
    for await (const response of client.serverReflectionInfo(iterate(requests))) responses.push(response);
    return responses;
  };
  return { ask, server };
}

async function* iterate<Item>(items: Item[]): AsyncGenerator<Item> {
  yield* items;
}

/** The names of the files in an answer. */
function fileNames(answer: Answer | undefined): string[] {
  if (answer?.case !== "fileDescriptorResponse") throw new Error(`Not files: ${JSON.stringify(answer)}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

for (const [version, service] of Object.entries({ v1: ServerReflection, v1alpha: ServerReflectionAlpha })) {
  test(`${version} lists every service`, async (t) => {
    const { ask } = await serveReflection(t, service);
    const [response] = await ask({ host: "here", messageRequest: { case: "listServices", value: "" } });
    t.is(response?.validHost, "here");
    t.is(response?.originalRequest?.messageRequest.case, "listServices");
    t.like(response?.messageResponse, {
      case: "listServicesResponse",
      value: {
        service: [
          { name: "greeter.v1.GreeterService" },
          { name: "grpc.health.v1.Health" },
          { name: "grpc.reflection.v1.ServerReflection" },
          { name: "grpc.reflection.v1alpha.ServerReflection" },
        ],
      },
    });
  });

  test(`${version} gives what a client needs to call without the proto file`, async (t) => {
    const { ask } = await serveReflection(t, service);
    const [response] = await ask({
      messageRequest: { case: "fileContainingSymbol", value: "greeter.v1.GreeterService" },
    });
    const answer = response!.messageResponse;
    if (answer.case !== "fileDescriptorResponse") return t.fail();
    const file = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
    t.is(registry.getMessage("greeter.v1.GreetRequest")?.field["name"]?.presence, 1);
  });

  test(`${version} answers an unknown symbol with the protocol's error, and the stream lives on`, async (t) => {
    const { ask } = await serveReflection(t, service);
    const [unknown, known] = await ask(
      { messageRequest: { case: "fileContainingSymbol", value: "nope.Nope" } },
      { messageRequest: { case: "fileByFilename", value: "greeter/v1/greeter.proto" } },
    );
    t.like(unknown?.messageResponse, {
      case: "errorResponse",
      value: { errorCode: Code.NotFound, errorMessage: "Unknown symbol nope.Nope" },
    });
    t.deepEqual(fileNames(known?.messageResponse), ["greeter/v1/greeter.proto"]);
  });
}

const symbols = [
  "greeter.v1.GreeterService",
  "greeter.v1.GreeterService.Greet",
  "greeter.v1.GreetRequest",
  "greeter.v1.GreetRequest.name",
  "greeter.v1.VersionResponse.settings",
];
for (const value of symbols) {
  test(`finds the file that declares ${value}`, async (t) => {
    const { ask } = await serveReflection(t);
    const [response] = await ask({ messageRequest: { case: "fileContainingSymbol", value } });
    t.deepEqual(fileNames(response?.messageResponse), ["greeter/v1/greeter.proto"]);
  });
}

test("finds an enum and its values, which stand beside it", async (t) => {
  const { ask } = await serveReflection(t);
  const health = "grpc.health.v1.HealthCheckResponse";
  for (const value of [`${health}.ServingStatus`, `${health}.SERVING`]) {
    const [response] = await ask({ messageRequest: { case: "fileContainingSymbol", value } });
    t.deepEqual(fileNames(response?.messageResponse), ["health/v1/health.proto"]);
  }
});

const errors: { title: string; messageRequest: NonNullable<Request["messageRequest"]>; errorCode: Code }[] = [
  {
    title: "an unknown file",
    messageRequest: { case: "fileByFilename", value: "nope.proto" },
    errorCode: Code.NotFound,
  },
  {
    title: "an unknown extension",
    messageRequest: {
      case: "fileContainingExtension",
      value: { containingType: "greeter.v1.GreetRequest", extensionNumber: 100 },
    },
    errorCode: Code.NotFound,
  },
  {
    title: "the extensions of an unknown type",
    messageRequest: { case: "allExtensionNumbersOfType", value: "nope.Nope" },
    errorCode: Code.NotFound,
  },
  { title: "no question at all", messageRequest: { case: undefined }, errorCode: Code.InvalidArgument },
];
for (const { title, messageRequest, errorCode } of errors) {
  test(`answers ${title} with the protocol's error`, async (t) => {
    const { ask } = await serveReflection(t);
    const [response] = await ask({ messageRequest });
    t.like(response?.messageResponse, { case: "errorResponse", value: { errorCode } });
  });
}

test("tells that a type has no extensions", async (t) => {
  const { ask } = await serveReflection(t);
  const value = "greeter.v1.GreetRequest";
  const [response] = await ask({ messageRequest: { case: "allExtensionNumbersOfType", value } });
  t.like(response?.messageResponse, {
    case: "allExtensionNumbersResponse",
    value: { baseTypeName: value, extensionNumber: [] },
  });
});

test("can be switched off", async (t) => {
  for (const service of [ServerReflection, ServerReflectionAlpha]) {
    const { ask } = await serveReflection(t, service, false);
    const error = await t.throwsAsync(ask({}), { instanceOf: ConnectError });
    t.is(error.code, Code.Unimplemented);
  }
});

test("an open stream does not delay a drain, and is told to come back", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target);
  const stream = client.open("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  const answered = client.call("/grpc.health.v1.Health/Check", Buffer.alloc(0));
  while (!client.isAnswered(answered)) await setImmediate();
  await server.drain();
  await client.closed;
  t.true(client.isAnswered(stream));
  t.is(await server.cut(), 0);
});
