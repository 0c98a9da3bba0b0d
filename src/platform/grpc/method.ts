import type { DescMethod } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";
import { codecOf } from "./codec.ts";

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
    requestSerialize: codecOf(input).encode,
    requestDeserialize: (bytes) => bytes,
    responseSerialize: (bytes) => bytes as Buffer,
    responseDeserialize: codecOf(output).decode,
  };
}
