import { toBinary } from "@bufbuild/protobuf";
import type { DescExtension, DescFile, DescService, MessageInitShape } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import type {
  ServerReflection,
  ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import type { Implementation } from "./service.ts";

type Question = ServerReflectionRequest["messageRequest"];
type Answer = NonNullable<
  Extract<MessageInitShape<typeof ServerReflectionResponseSchema>, { $typeName?: never }>["messageResponse"]
>;

/**
 * Server reflection (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md).
 * @param services every service that the server has
 */
export function reflectionHandlers(services: DescService[]): Implementation<typeof ServerReflection> {
  const answer = reflect(services);
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(request.messageRequest) };
      }
    },
  };
}

function reflect(services: DescService[]): (question: Question) => Answer {
  const files = withDependencies(services.map(({ file }) => file));
  const filesByName = new Map(files.map((file) => [`${file.name}.proto`, file]));
  const filesBySymbol = new Map(files.flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file])));
  const extensions = files.flatMap((file) => [...nestedTypes(file)].filter((type) => type.kind === "extension"));

  return (question) => {
    switch (question.case) {
      case "listServices": {
        const service = services.map(({ typeName: name }) => ({ name }));
        return { case: "listServicesResponse", value: { service } };
      }
      case "fileByFilename":
        return fileAnswer(filesByName.get(question.value), `file ${question.value}`);
      case "fileContainingSymbol":
        return fileAnswer(filesBySymbol.get(question.value), `symbol ${question.value}`);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        const isAskedFor = ({ extendee, number }: DescExtension): boolean =>
          extendee.typeName === containingType && number === extensionNumber;
        return fileAnswer(extensions.find(isAskedFor)?.file, `extension ${extensionNumber} of ${containingType}`);
      }
      case "allExtensionNumbersOfType": {
        if (!filesBySymbol.has(question.value)) return errorAnswer(status.NOT_FOUND, `Unknown type ${question.value}`);
        const extensionNumber = extensions
          .filter(({ extendee }) => extendee.typeName === question.value)
          .map(({ number }) => number);
        return { case: "allExtensionNumbersResponse", value: { baseTypeName: question.value, extensionNumber } };
      }
      default:
        return errorAnswer(status.INVALID_ARGUMENT, "Expected one of the questions of ServerReflectionRequest");
    }
  };
}

/** A file with everything that it imports: a client can then build its types without another question. */
function fileAnswer(file: DescFile | undefined, what: string): Answer {
  if (!file) return errorAnswer(status.NOT_FOUND, `Unknown ${what}`);
  const fileDescriptorProto = withDependencies([file]).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

/** The protocol's own errors: the stream lives on. */
function errorAnswer(errorCode: status, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

function withDependencies(files: readonly DescFile[]): DescFile[] {
  return [...new Set(files.flatMap((file) => [file, ...withDependencies(file.dependencies)]))];
}

/** The full name of everything that a file declares. */
function symbolsOf(file: DescFile): string[] {
  return [...nestedTypes(file)].flatMap((type) => {
    switch (type.kind) {
      case "message":
        return [type.typeName, ...type.members.map(({ name }) => `${type.typeName}.${name}`)];
      case "service":
        return [type.typeName, ...type.methods.map(({ name }) => `${type.typeName}.${name}`)];
      case "enum": {
        // The values of an enum live beside it, not in it.
        const scope = type.typeName.slice(0, type.typeName.lastIndexOf(".") + 1);
        return [type.typeName, ...type.values.map(({ name }) => scope + name)];
      }
      default:
        return [type.typeName];
    }
  });
}
