import type { DescMethod } from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";
import { codecOf } from "./codec.ts";
import type { GrpcService, MethodOptions, UntypedHandler } from "./service.ts";

/** A method of a service, as the server serves it. */
export interface ServedMethod {
  /** `package.Service/Method`. */
  name: string;
  descriptor: DescMethod;
  handler: UntypedHandler;
  options: MethodOptions;
}

/** The methods of a server, by their path: `/package.Service/Method`. */
export type Methods = ReadonlyMap<string, ServedMethod>;

/** Collects the methods of some services. */
export function methodsOf(services: GrpcService[]): Methods {
  const methods = services.flatMap(({ descriptor: { typeName, methods }, handlers, options }) =>
    methods.map((descriptor): [string, ServedMethod] => {
      const { localName } = descriptor;
      const name = `${typeName}/${descriptor.name}`;
      return [`/${name}`, { name, descriptor, handler: handlers[localName]!, options: options[localName] ?? {} }];
    }),
  );
  return new Map(methods);
}

/**
 * Returns the definition of a method for grpc-js. A client passes messages, or their initial values, and receives messages. A server
 * passes and receives bytes, and handler.ts converts them: grpc-js reports no reason for a malformed message to the caller, and a failed
 * serialization to nobody else.
 */
export function methodDefinition(descriptor: DescMethod): MethodDefinition<object, object> {
  const { parent, name, methodKind, input, output } = descriptor;
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
