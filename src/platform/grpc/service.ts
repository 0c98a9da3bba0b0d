import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Server } from "@grpc/grpc-js";
import { grpcHandler } from "./handler.ts";
import type { CallContext, ServiceContext, UntypedHandler } from "./handler.ts";
import { methodDefinition } from "./method.ts";

/** What a service must provide: one function for each method of its descriptor, with the method's own message types. */
export type Implementation<S extends DescService> = { [Name in keyof S["method"]]: Handler<S["method"][Name]> };

/** One method: a message or a stream of messages in, a message or a stream of messages out. It fails by throwing. */
export type Handler<M extends DescMethod> =
  M extends DescMethodUnary<infer In, infer Out>
    ? (request: MessageShape<In>, context: CallContext) => Promise<MessageInitShape<Out>>
    : M extends DescMethodServerStreaming<infer In, infer Out>
      ? (request: MessageShape<In>, context: CallContext) => AsyncIterable<MessageInitShape<Out>>
      : M extends DescMethodClientStreaming<infer In, infer Out>
        ? (requests: AsyncIterable<MessageShape<In>>, context: CallContext) => Promise<MessageInitShape<Out>>
        : M extends DescMethodBiDiStreaming<infer In, infer Out>
          ? (requests: AsyncIterable<MessageShape<In>>, context: CallContext) => AsyncIterable<MessageInitShape<Out>>
          : never;

/**
 * Registers a service: the glue from a protobuf-es descriptor to grpc-js, for any service and all four kinds of method.
 * @param server what takes the service
 * @param service the generated descriptor
 * @param implementation a function for each method; a missing or misspelt one does not compile
 */
export function addService<S extends DescService>(
  server: Pick<Server, "addService">,
  service: S,
  implementation: Implementation<S>,
  context: ServiceContext,
): void {
  const { methods } = service;
  for (const method of methods) {
    const { path, responseStream } = methodDefinition(method);
    if (responseStream) context.endless?.paths.add(path);
  }
  const handlers = implementation as Record<string, UntypedHandler>;
  server.addService(
    Object.fromEntries(methods.map((method) => [method.localName, methodDefinition(method)])),
    Object.fromEntries(
      methods.map((method) => [method.localName, grpcHandler(method, handlers[method.localName]!, context)]),
    ),
  );
}
