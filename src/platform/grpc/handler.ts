import { once, type EventEmitter } from "node:events";
import type { Message } from "@bufbuild/protobuf";
import type * as grpc from "@grpc/grpc-js";
import { createContext, type OwnedContext } from "../context.ts";
import { invalidArgument, isFailure, ServiceError, toServiceError } from "../errors.ts";
import type { Admission } from "../lifecycle/admission.ts";
import { logFailure } from "../telemetry/request.ts";
import type { CallRegistry, ServerCall } from "./calls.ts";
import { codecOf } from "./codec.ts";
import type { ServedMethod } from "./method.ts";
import { toStatus } from "./status.ts";

/**
 * Wraps a handler for grpc-js. Bytes become messages here, and a thrown value becomes a status: grpc-js itself answers a throw with
 * UNKNOWN, and never answers a rejected promise.
 */
export function grpcHandler(
  { name, descriptor, handler, options }: ServedMethod,
  admission: Admission,
  registry: CallRegistry,
): grpc.UntypedHandleCall {
  const { encode } = codecOf(descriptor.output);
  const { decode } = codecOf(descriptor.input);

  const messageOf = (bytes: Buffer): Message => {
    try {
      return decode(bytes);
    } catch (cause) {
      throw invalidArgument(`Malformed ${descriptor.input.typeName}: ${(cause as Error).message}`, { cause });
    }
  };

  async function* messagesOf(call: ReadableCall): AsyncGenerator<Message> {
    // Not destroyed when the handler has read enough: the response still has to go out.
    for await (const bytes of call.iterator({ destroyOnReturn: false })) yield messageOf(bytes as Buffer);
  }

  const fail = (error: unknown, running: RunningCall, end: (failure: grpc.StatusObject) => void): void => {
    const { call, context } = running;
    // A cancelled call sends no status. Its errors result from the cancellation.
    if (call.cancelled) return;
    if (isFailure(toServiceError(error))) logFailure(context.log, error, name);
    running.responded = true;
    end(toStatus(error));
  };

  const respondOnce = async (input: () => unknown, call: Call, callback: grpc.sendUnaryData<Buffer>): Promise<void> => {
    const serverCall = registry.callOf(call.metadata);
    // The stream was closed before its handler could run.
    if (!serverCall) return;
    const running = new RunningCall(call, serverCall);
    try {
      if (!options.exempt) running.leave = admission.enter();
      const response = encode(await handler(input(), running.context));
      running.responded = true;
      callback(null, response);
    } catch (error) {
      fail(error, running, callback);
    } finally {
      running.leave();
    }
  };

  const respondMany = async (input: () => unknown, call: WritableCall): Promise<void> => {
    const serverCall = registry.callOf(call.metadata);
    if (!serverCall) return;
    const running = new RunningCall(call, serverCall);
    const end = (error: unknown): void => {
      if (call.writable) fail(error, running, (failure) => call.emit("error", failure));
    };
    const onClosing = (): void => end(new ServiceError("UNAVAILABLE", "The connection is closing"));
    const remove = options.longLived ? serverCall.connection.onClosing(onClosing) : undefined;
    try {
      for await (const message of handler(input(), running.context)) {
        if (!call.write(encode(message))) await once(call, "drain", { signal: running.context.signal });
      }
      running.responded = true;
      if (call.writable) call.end();
    } catch (error) {
      end(error);
    } finally {
      remove?.();
    }
  };

  const handlers = {
    unary: (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) =>
      void respondOnce(() => messageOf(call.request), call, callback),
    client_streaming: (call: ReadableCall, callback: grpc.sendUnaryData<Buffer>) =>
      void respondOnce(() => messagesOf(call), call, callback),
    server_streaming: (call: grpc.ServerWritableStream<Buffer, Buffer>) =>
      void respondMany(() => messageOf(call.request), call),
    bidi_streaming: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => void respondMany(() => messagesOf(call), call),
  };
  return handlers[descriptor.methodKind];
}

type ReadableCall = grpc.ServerReadableStream<Buffer, Buffer> | grpc.ServerDuplexStream<Buffer, Buffer>;
type WritableCall = grpc.ServerWritableStream<Buffer, Buffer> | grpc.ServerDuplexStream<Buffer, Buffer>;
type Call = grpc.ServerUnaryCall<Buffer, Buffer> | ReadableCall | WritableCall;

/** A call whose handler runs. */
class RunningCall {
  readonly call: Call;
  readonly context: OwnedContext;
  /** Releases the slot of admission. */
  leave = (): void => {};
  /** Whether the status was sent. grpc-js emits `cancelled` after every status, too. */
  responded = false;

  constructor(call: Call, { record, headers, connection: { socket } }: ServerCall) {
    this.call = call;
    this.context = createContext({ record, metadata: headers, socket, deadline: Number(call.getDeadline()) });
    if (call.cancelled) this.cancel();
    else (call as EventEmitter).once("cancelled", () => this.cancel());
  }

  /** Aborts the signal, and releases the slot: a handler that ignores the signal must not hold it after its caller has left. */
  cancel(): void {
    if (!this.responded) this.context.abort();
    this.leave();
  }
}
