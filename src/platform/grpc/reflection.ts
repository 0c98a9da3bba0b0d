import { toBinary } from "@bufbuild/protobuf";
import type { DescExtension, DescFile, DescService, MessageInitShape } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import type {
  ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { service, type GrpcService, type Handlers } from "./service.ts";

type Request = ServerReflectionRequest["messageRequest"];
type Answer = NonNullable<
  Extract<MessageInitShape<typeof ServerReflectionResponseSchema>, { $typeName?: never }>["messageResponse"]
>;

/**
 * Creates the reflection services (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md), v1 and v1alpha.
 * @param services every other service of the server
 */
export function reflectionServices(services: DescService[]): GrpcService[] {
  const answer = reflect([...services, ServerReflection, ServerReflectionAlpha]);
  const handlers: Handlers<typeof ServerReflection> = {
    async *serverReflectionInfo(requests) {
      for await (const message of requests) {
        yield { validHost: message.host, originalRequest: message, messageResponse: answer(message.messageRequest) };
      }
    },
  };
  const options = { serverReflectionInfo: { exempt: true, longLived: true } };
  return [
    service(ServerReflection, handlers, options),
    // The messages of v1alpha differ only in the name of their package.
    service(ServerReflectionAlpha, handlers as unknown as Handlers<typeof ServerReflectionAlpha>, options),
  ];
}

function reflect(services: DescService[]): (request: Request) => Answer {
  const files = withDependencies(services.map(({ file }) => file));
  const filesByName = new Map(files.map((file) => [`${file.name}.proto`, file]));
  const filesBySymbol = new Map(files.flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file])));
  const extensions = files.flatMap((file) => [...nestedTypes(file)].filter((type) => type.kind === "extension"));
  const extensionsOf = (type: string): DescExtension[] =>
    extensions.filter(({ extendee }) => extendee.typeName === type);

  return ({ case: kind, value }) => {
    switch (kind) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: services.map(({ typeName: name }) => ({ name })) } };
      case "fileByFilename":
        return fileAnswer(filesByName.get(value), `file ${value}`);
      case "fileContainingSymbol":
        return fileAnswer(filesBySymbol.get(value), `symbol ${value}`);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = value;
        const found = extensionsOf(containingType).find(({ number }) => number === extensionNumber);
        return fileAnswer(found?.file, `extension ${extensionNumber} of ${containingType}`);
      }
      case "allExtensionNumbersOfType": {
        if (!filesBySymbol.has(value)) return errorAnswer(status.NOT_FOUND, `Unknown type ${value}`);
        const extensionNumber = extensionsOf(value).map(({ number }) => number);
        return { case: "allExtensionNumbersResponse", value: { baseTypeName: value, extensionNumber } };
      }
      default:
        return errorAnswer(status.INVALID_ARGUMENT, "Missing message_request: expected one of ServerReflectionRequest");
    }
  };
}

/** Answers with a file and all of its imports, so that a client needs no second request. */
function fileAnswer(file: DescFile | undefined, what: string): Answer {
  if (!file) return errorAnswer(status.NOT_FOUND, `Unknown ${what}`);
  const fileDescriptorProto = withDependencies([file]).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

/** Answers with an error of the protocol. The stream stays open. */
function errorAnswer(errorCode: status, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

function withDependencies(files: readonly DescFile[]): DescFile[] {
  return [...new Set(files.flatMap((file) => [file, ...withDependencies(file.dependencies)]))];
}

/** Returns the full name of every declaration of a file. */
function symbolsOf(file: DescFile): string[] {
  return [...nestedTypes(file)].flatMap((type) => {
    const { typeName } = type;
    if (type.kind === "message") return [typeName, ...type.members.map(({ name }) => `${typeName}.${name}`)];
    if (type.kind === "service") return [typeName, ...type.methods.map(({ name }) => `${typeName}.${name}`)];
    // The scope of an enum's values is that of the enum itself.
    const scope = typeName.slice(0, typeName.lastIndexOf(".") + 1);
    return type.kind === "enum" ? [typeName, ...type.values.map(({ name }) => scope + name)] : [typeName];
  });
}
