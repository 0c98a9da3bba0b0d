import { once } from "node:events";
import type { EventEmitter } from "node:events";
import type { DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
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
import type { Admission } from "../lifecycle/admission.ts";
import { InvalidArgumentError } from "../../greeter/greeter.ts";
import type { EndlessStreams } from "./long-lived.ts";
import { codecOf } from "./codec.ts";
import type { Codec } from "./codec.ts";
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

/** What a service shares with the server around it. */
export interface ServiceContext {
  /** Hears of every error that the caller is not told about, of the method that failed, and of the caller's metadata. */
  report: (error: unknown, method: string, metadata: Metadata) => void;
  /** Given to a service whose work is limited. */
  admission?: Admission;
  /** Given to a service whose streams last until somebody ends them. Those of other services are waited for. */
  endless?: EndlessStreams;
}

/** A handler of service.ts with its message types set aside: they were checked where they are known. */
// oxlint-disable-next-line typescript/no-explicit-any
export type UntypedHandler = (input: any, context: CallContext) => any;

/**
 * Wraps a handler as grpc-js wants it. This is the one place where bytes become messages, and where a thrown or rejected value
 * becomes a status: left to itself, grpc-js answers a throw with UNKNOWN, and a rejection never.
 */
export function grpcHandler(
  method: DescMethod,
  handler: UntypedHandler,
  { report, admission, endless }: ServiceContext,
): UntypedHandleCall {
  const { encode } = codecOf(method.output);
  const { decode } = codecOf(method.input);
  // Nobody hears how a cancelled call ends, and what fails in it fails because of the cancellation.
  const fail = (error: unknown, call: Call, end: (failure: CallStatus) => void): void => {
    if (call.cancelled) return;
    const failure = toStatus(error);
    if (failure.code === status.INTERNAL) report(error, `${method.parent.typeName}/${method.name}`, call.metadata);
    end(failure);
  };

  const work = async (input: unknown, call: Call): Promise<object> => {
    admission?.enter();
    try {
      return await handler(input, new Context(call));
    } finally {
      admission?.leave();
    }
  };

  const respondOnce = async (input: () => unknown, call: Call, callback: sendUnaryData<Buffer>): Promise<void> => {
    try {
      callback(null, encode(await work(input(), call)));
    } catch (error) {
      fail(error, call, callback);
    }
  };

  const respondMany = async (input: () => unknown, call: WritableCall): Promise<void> => {
    const end = (error: unknown): void => {
      if (call.writable) fail(error, call, (failure) => call.emit("error", failure));
    };
    const forget = endless?.add(call.getPeer(), end);
    try {
      const context = new Context(call);
      for await (const message of handler(input(), context)) {
        if (!call.write(encode(message))) await once(call, "drain", { signal: context.signal });
      }
      if (call.writable) call.end();
    } catch (error) {
      end(error);
    } finally {
      forget?.();
    }
  };

  const message = (bytes: Buffer): Message => decoded(method.input, decode, bytes);
  const handlers = {
    unary: (call: UnaryCall, callback: sendUnaryData<Buffer>) =>
      void respondOnce(() => message(call.request), call, callback),
    client_streaming: (call: ReadableCall, callback: sendUnaryData<Buffer>) =>
      void respondOnce(() => messagesOf(call, message), call, callback),
    server_streaming: (call: ServerWritableStream<Buffer, Buffer>) =>
      void respondMany(() => message(call.request), call),
    bidi_streaming: (call: ServerDuplexStream<Buffer, Buffer>) =>
      void respondMany(() => messagesOf(call, message), call),
  };
  return handlers[method.methodKind];
}

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;
type ReadableCall = ServerReadableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;
type WritableCall = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;
type Call = UnaryCall | ReadableCall | WritableCall;

class Context implements CallContext {
  readonly #call: Call;
  #controller: AbortController | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  get metadata(): Metadata {
    return this.#call.metadata;
  }

  get deadline(): number {
    return Number(this.#call.getDeadline());
  }

  /** Made when it is asked for: most handlers answer before anybody could lose interest. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = (this.#controller = new AbortController());
      if (this.#call.cancelled) controller.abort();
      else (this.#call as EventEmitter).once("cancelled", () => controller.abort());
    }
    return this.#controller.signal;
  }
}

async function* messagesOf(call: ReadableCall, message: (bytes: Buffer) => Message): AsyncGenerator<Message> {
  // Not destroyed when the handler has read enough: the answer still has to go out.
  for await (const bytes of call.iterator({ destroyOnReturn: false })) yield message(bytes as Buffer);
}

function decoded({ typeName }: DescMessage, decode: Codec["decode"], bytes: Buffer): Message {
  try {
    return decode(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidArgumentError(`Malformed ${typeName}: ${reason}`, { cause });
  }
}
