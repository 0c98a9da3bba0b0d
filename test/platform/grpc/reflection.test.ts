import { setImmediate } from "node:timers/promises";
import { createFileRegistry, create, fromBinary } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import test, { type ExecutionContext } from "ava";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "../../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../../src/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { CHECK } from "./call.ts";
import { frameClient } from "./frames.ts";
import { connectClient, serveGrpc } from "./serve.ts";

type Request = MessageInitShape<typeof ServerReflectionRequestSchema>;
type Answer = ServerReflectionResponse["messageResponse"];

/** Asks each question on one stream, and returns the answers. */
type Ask = (...requests: Request[]) => Promise<ServerReflectionResponse[]>;

async function serveReflection(
  t: ExecutionContext,
  service: typeof ServerReflection | typeof ServerReflectionAlpha = ServerReflection,
  reflection = true,
): Promise<Ask> {
  const { target } = await serveGrpc(t, { reflection });
  const client = connectClient(t, service as typeof ServerReflection, target);
  return async (...requests) => {
    const responses: ServerReflectionResponse[] = [];
    for await (const response of client.serverReflectionInfo(iterate(requests))) responses.push(response);
    return responses;
  };
}

async function* iterate<Item>(items: Item[]): AsyncGenerator<Item> {
  yield* items;
}

/** Returns the names of the files in an answer. */
function fileNames(answer: Answer | undefined): string[] {
  if (answer?.case !== "fileDescriptorResponse") throw new Error(`Expected files, got ${JSON.stringify(answer)}`);
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

for (const [version, service] of Object.entries({ v1: ServerReflection, v1alpha: ServerReflectionAlpha })) {
  test(`${version} lists every service`, async (t) => {
    const ask = await serveReflection(t, service);
    const [response] = await ask({ host: "here", messageRequest: { case: "listServices", value: "" } });
    t.is(response?.validHost, "here");
    t.is(response?.originalRequest?.messageRequest.case, "listServices");
    t.like(response?.messageResponse, {
      case: "listServicesResponse",
      value: {
        service: [
          { name: "fixture.v1.ItemService" },
          { name: "grpc.health.v1.Health" },
          { name: "grpc.reflection.v1.ServerReflection" },
          { name: "grpc.reflection.v1alpha.ServerReflection" },
        ],
      },
    });
  });

  test(`${version} returns everything that a client without the proto file needs`, async (t) => {
    const ask = await serveReflection(t, service);
    const [response] = await ask({
      messageRequest: { case: "fileContainingSymbol", value: "fixture.v1.ItemService" },
    });
    const answer = response!.messageResponse;
    if (answer.case !== "fileDescriptorResponse") return t.fail();
    const file = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
    t.is(registry.getMessage("fixture.v1.GetItemRequest")?.field["id"]?.presence, 1);
  });

  test(`${version} answers an unknown symbol with the protocol's error, and the stream stays open`, async (t) => {
    const ask = await serveReflection(t, service);
    const [unknown, known] = await ask(
      { messageRequest: { case: "fileContainingSymbol", value: "nope.Nope" } },
      { messageRequest: { case: "fileByFilename", value: "fixture/v1/item.proto" } },
    );
    t.like(unknown?.messageResponse, {
      case: "errorResponse",
      value: { errorCode: Code.NotFound, errorMessage: "Unknown symbol nope.Nope" },
    });
    t.deepEqual(fileNames(known?.messageResponse), ["fixture/v1/item.proto"]);
  });
}

const symbols = [
  "fixture.v1.ItemService",
  "fixture.v1.ItemService.GetItem",
  "fixture.v1.GetItemRequest",
  "fixture.v1.GetItemRequest.id",
  "fixture.v1.CreateItemResponse.count",
];
for (const value of symbols) {
  test(`finds the file that declares ${value}`, async (t) => {
    const ask = await serveReflection(t);
    const [response] = await ask({ messageRequest: { case: "fileContainingSymbol", value } });
    t.deepEqual(fileNames(response?.messageResponse), ["fixture/v1/item.proto"]);
  });
}

test("finds an enum, and its values in the scope around it", async (t) => {
  const ask = await serveReflection(t);
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
      value: { containingType: "fixture.v1.GetItemRequest", extensionNumber: 100 },
    },
    errorCode: Code.NotFound,
  },
  {
    title: "the extensions of an unknown type",
    messageRequest: { case: "allExtensionNumbersOfType", value: "nope.Nope" },
    errorCode: Code.NotFound,
  },
  { title: "a request without a question", messageRequest: { case: undefined }, errorCode: Code.InvalidArgument },
];
for (const { title, messageRequest, errorCode } of errors) {
  test(`answers ${title} with the protocol's error`, async (t) => {
    const ask = await serveReflection(t);
    const [response] = await ask({ messageRequest });
    t.like(response?.messageResponse, { case: "errorResponse", value: { errorCode } });
  });
}

test("answers that a type has no extensions", async (t) => {
  const ask = await serveReflection(t);
  const value = "fixture.v1.GetItemRequest";
  const [response] = await ask({ messageRequest: { case: "allExtensionNumbersOfType", value } });
  t.like(response?.messageResponse, {
    case: "allExtensionNumbersResponse",
    value: { baseTypeName: value, extensionNumber: [] },
  });
});

test("reflection can be disabled", async (t) => {
  for (const service of [ServerReflection, ServerReflectionAlpha]) {
    const ask = await serveReflection(t, service, false);
    const error = await t.throwsAsync(ask({}), { instanceOf: ConnectError });
    t.is(error.code, Code.Unimplemented);
  }
});

test("an open stream does not delay a drain, and ends with a status", async (t) => {
  const { server, target } = await serveGrpc(t);
  const client = frameClient(target);
  const stream = client.open("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  const answered = client.call(CHECK, Buffer.alloc(0));
  while (!client.isAnswered(answered)) await setImmediate();
  await server.drain();
  await client.closed;
  t.true(client.isAnswered(stream));
  t.is(await server.cut(), 0);
});
