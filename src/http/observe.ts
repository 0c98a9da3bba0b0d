import { IncomingMessage } from "node:http";
import type { ServerResponse } from "node:http";
import type { Context } from "koa";
import type { HttpExchange, HttpTelemetry } from "../telemetry/http.ts";

/** A request, and what telemetry knows of it. A class, for that is how Node is told what else a request is to have. */
export class ObservedRequest extends IncomingMessage {
  exchange!: HttpExchange;
  /** Which route it took, by the name that telemetry has for it; a path from a caller is none. */
  route: "/" | "/{name}" | "/version" | "_OTHER" = "_OTHER";
}

/** The request as telemetry knows it. */
export function observed(context: Pick<Context, "req">): ObservedRequest {
  return context.req as ObservedRequest;
}

/**
 * Tells of a request when it arrives, and gives its answer the request id.
 * @returns what tells of its end, when the answer is closed
 */
export function observe(request: ObservedRequest, response: ServerResponse, telemetry: HttpTelemetry): () => void {
  const exchange = telemetry.begin(request);
  request.exchange = exchange;
  response.setHeader("X-Request-Id", exchange.requestId);
  return () => {
    const status = response.headersSent ? response.statusCode : undefined;
    const whole = response.writableFinished && request.method !== "HEAD";
    const bytes = whole ? Number(response.getHeader("Content-Length") ?? 0) : 0;
    exchange.end({ route: request.route, status, bytes });
  };
}
