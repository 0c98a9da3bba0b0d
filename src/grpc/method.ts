import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, DescMethod } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";

/**
 * grpc-js's definition of a method, from its protobuf-es descriptor. A client gives messages, or their initial values, and gets messages.
 * A server gets and gives bytes: grpc-js would tell the caller of a malformed message without saying why, and of a failed
 * serialization without telling anybody else, so that handler.ts does both.
 */
export function methodDefinition({
  parent,
  name,
  methodKind,
  input,
  output,
}: DescMethod): MethodDefinition<object, object> {
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream: methodKind === "client_streaming" || methodKind === "bidi_streaming",
    responseStream: methodKind === "server_streaming" || methodKind === "bidi_streaming",
    requestSerialize: (request) => serialize(input, request),
    requestDeserialize: (bytes) => bytes,
    responseSerialize: (bytes) => bytes as Buffer,
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

/** A message, or the initial values of one, as bytes. grpc-js takes nothing but a Buffer: this is one over the same memory. */
export function serialize(schema: DescMessage, message: object): Buffer {
  const bytes = toBinary(schema, create(schema, message as Record<string, unknown>));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
