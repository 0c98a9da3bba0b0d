import { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "koa";
import { createContext, type OwnedContext, type RequestContext } from "../context.ts";
import type { HttpRequestRecord, HttpTelemetry } from "../telemetry/http.ts";

/** A request with its record. Node creates its requests from a class, so this is one. */
export class ObservedRequest extends IncomingMessage {
  record!: HttpRequestRecord;
  /** Pattern of the route; undefined if none matched. */
  route: string | undefined;
  /** Whether an error was handled. */
  failed = false;
  #context: OwnedContext | undefined;

  get context(): OwnedContext {
    const { record, headers: metadata, socket } = this;
    return (this.#context ??= createContext({ record, metadata, socket }));
  }
}

/** A response that counts the bytes of its body. */
export class ObservedResponse extends ServerResponse<ObservedRequest> {
  bytes = 0;

  override write(chunk: unknown, ...rest: never[]): boolean {
    this.bytes += sizeOf(chunk);
    return super.write(chunk, ...rest);
  }

  override end(chunk?: unknown, ...rest: never[]): this {
    this.bytes += sizeOf(chunk);
    return super.end(chunk, ...rest);
  }
}

function sizeOf(chunk: unknown): number {
  if (typeof chunk === "string") return Buffer.byteLength(chunk);
  return chunk instanceof Uint8Array ? chunk.byteLength : 0;
}

/** Returns the observed request of a Koa context. */
export function observed({ req }: Pick<Context, "req">): ObservedRequest {
  return req as ObservedRequest;
}

/** Returns the context of a request for domain functions: the last argument of each. */
export function requestContext(context: Pick<Context, "req">): RequestContext {
  return observed(context).context;
}

/** Records the start of a request, and returns the function that records its end when the response is closed. */
export function observeRequest(
  request: ObservedRequest,
  response: ObservedResponse,
  telemetry: HttpTelemetry,
): () => void {
  request.record = telemetry.startRequest(request);
  return () => {
    const { writableFinished: whole, headersSent, statusCode } = response;
    // A handler may ask for the context later.
    if (!whole) request.context.abort();
    const bytes = whole && request.method !== "HEAD" ? response.bytes : 0;
    request.record.end({ route: request.route, status: headersSent ? statusCode : undefined, bytes });
  };
}
