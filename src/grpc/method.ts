import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, DescMethod } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";

/** Stands for a request that is not the message it should be: grpc-js would end the call without saying why. */
export class MalformedMessage {
  readonly typeName: string;
  readonly cause: unknown;

  constructor(typeName: string, cause: unknown) {
    this.typeName = typeName;
    this.cause = cause;
  }
}

/**
 * grpc-js's definition of a method, for a server and for a client, from its protobuf-es descriptor.
 * What it serializes is a message of the method, or the initial values of one; a request that can't be deserialized
 * comes as a {@link MalformedMessage}.
 */
export function methodDefinition(method: DescMethod): MethodDefinition<object, object> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: (request) => serialize(method.input, request),
    requestDeserialize: (bytes) => {
      try {
        return fromBinary(method.input, bytes);
      } catch (cause) {
        return new MalformedMessage(method.input.typeName, cause);
      }
    },
    responseSerialize: (response) => serialize(method.output, response),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

function serialize(schema: DescMessage, message: object): Buffer {
  const bytes = toBinary(schema, create(schema, message as Record<string, unknown>));
  // grpc-js takes nothing but a Buffer: this is one over the same memory.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
