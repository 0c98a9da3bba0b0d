import { once } from "node:events";
import type { EventEmitter } from "node:events";
import type { DescMethod } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import type {
  Metadata,
  sendUnaryData,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import { InvalidArgumentError } from "../greeter.ts";
import { MalformedMessage } from "./method.ts";
import { toStatus } from "./status.ts";
import type { CallStatus } from "./status.ts";

/** What a handler may know of its call beside the message. */
export interface CallContext {
  /** The caller's metadata. */
  readonly metadata: Metadata;
  /** When the caller stops waiting, in milliseconds since the epoch; Infinity without a deadline. */
  readonly deadline: number;
  /** Aborts when nobody waits for the answer any more: cancelled, past its deadline, or disconnected. */
  readonly signal: AbortSignal;
}

/** Hears of every error that the caller is not told about, and of the method that failed. */
export type ErrorReport = (error: unknown, method: string) => void;

/** A handler of service.ts with its message types set aside: they were checked where they are known. */
// oxlint-disable-next-line typescript/no-explicit-any
export type UntypedHandler = (input: any, context: CallContext) => any;

/**
 * Wraps a handler as grpc-js wants it. This is the one place where a thrown or rejected value becomes a status:
 * left to itself, grpc-js answers a throw with UNKNOWN, and a rejection never.
 */
export function grpcHandler(method: DescMethod, handler: UntypedHandler, report: ErrorReport): UntypedHandleCall {
  const fail = (error: unknown): CallStatus => {
    const failure = toStatus(error);
    if (failure.code === status.INTERNAL) report(error, `${method.parent.typeName}/${method.name}`);
    return failure;
  };

  const respondOnce = async (input: () => unknown, call: Call, callback: sendUnaryData<unknown>): Promise<void> => {
    try {
      callback(null, await handler(input(), contextOf(call)));
    } catch (error) {
      callback(fail(error));
    }
  };

  const respondMany = async (input: () => unknown, call: WritableCall): Promise<void> => {
    try {
      const context = contextOf(call);
      for await (const message of handler(input(), context)) {
        if (!call.write(message)) await once(call, "drain", { signal: context.signal });
      }
      call.end();
    } catch (error) {
      // Nobody hears how a cancelled call ended, and its streams fail because of the cancellation.
      if (!call.cancelled) call.emit("error", fail(error));
    }
  };

  const handlers = {
    unary: (call: UnaryCall, callback: sendUnaryData<unknown>) =>
      void respondOnce(() => wellFormed(call.request), call, callback),
    client_streaming: (call: ReadableCall, callback: sendUnaryData<unknown>) =>
      void respondOnce(() => messagesOf(call), call, callback),
    server_streaming: (call: ServerWritableStream<unknown, unknown>) =>
      void respondMany(() => wellFormed(call.request), call),
    bidi_streaming: (call: ServerDuplexStream<unknown, unknown>) => void respondMany(() => messagesOf(call), call),
  };
  return handlers[method.methodKind];
}

type UnaryCall = ServerUnaryCall<unknown, unknown>;
type ReadableCall = ServerReadableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>;
type WritableCall = ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>;
type Call = UnaryCall | ReadableCall | WritableCall;

function contextOf(call: Call): CallContext {
  let controller: AbortController | undefined;
  return {
    metadata: call.metadata,
    get deadline() {
      return Number(call.getDeadline());
    },
    // Made when it is asked for: most handlers answer before anybody could lose interest.
    get signal() {
      if (!controller) {
        controller = new AbortController();
        if (call.cancelled) controller.abort();
        else (call as EventEmitter).once("cancelled", () => controller?.abort());
      }
      return controller.signal;
    },
  };
}

async function* messagesOf(call: ReadableCall): AsyncGenerator {
  // Not destroyed when the handler has read enough: the answer still has to go out.
  for await (const message of call.iterator({ destroyOnReturn: false })) yield wellFormed(message);
}

function wellFormed(message: unknown): unknown {
  if (!(message instanceof MalformedMessage)) return message;
  throw new InvalidArgumentError(`Malformed ${message.typeName}: ${(message.cause as Error).message}`, {
    cause: message.cause,
  });
}
