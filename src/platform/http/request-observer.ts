import { IncomingMessage } from "node:http";
import type { ServerResponse } from "node:http";
import type { Context } from "koa";
import type { HttpExchange, HttpTelemetry } from "../telemetry/http.ts";

/** A request, and what telemetry knows of it. A class, for that is how Node is told what else a request is to have. */
export class ObservedRequest extends IncomingMessage {
  exchange!: HttpExchange;
  /** Which route it took, by the name that telemetry has for it; a path from a caller is none. */
  route: "/" | "/{name}" | "/version" | "_OTHER" = "_OTHER";
  /** How large the body of its answer is, in bytes, once there is one. */
  bytes = 0;
}

/** The request as telemetry knows it. */
export function observed(context: Pick<Context, "req">): ObservedRequest {
  return context.req as ObservedRequest;
}

/**
 * Tells of a request when it arrives.
 * @returns what tells of its end, when the answer is closed
 */
export function observe(request: ObservedRequest, response: ServerResponse, telemetry: HttpTelemetry): () => void {
  const exchange = telemetry.begin(request);
  request.exchange = exchange;
  return () => {
    const status = response.headersSent ? response.statusCode : undefined;
    const whole = response.writableFinished && request.method !== "HEAD";
    exchange.end({ route: request.route, status, bytes: whole ? request.bytes : 0 });
  };
}
