import type { Middleware } from "koa";
import type { HttpExchange, HttpTelemetry } from "../telemetry/http.ts";

/** What is known of a request beside what Koa knows. */
export interface RequestState {
  exchange: HttpExchange;
  /** Which route it took, by the name that telemetry has for it; a path from a caller is none. */
  route: "/" | "/{name}" | "/version" | "_OTHER";
}

/** The state of a request that {@link observeRequests} has seen. */
export function stateOf({ state }: { state: unknown }): RequestState {
  return state as RequestState;
}

/** Tells of each request, from its headers to the end of its answer, and gives every answer its request id. */
export function observeRequests(telemetry: HttpTelemetry): Middleware {
  return (context, next) => {
    const { req: request, res: response } = context;
    const exchange = telemetry.begin(request);
    const state: RequestState = Object.assign(context.state, { exchange, route: "_OTHER" as const });
    response.setHeader("X-Request-Id", exchange.requestId);
    response.once("close", () => {
      const status = response.headersSent ? response.statusCode : undefined;
      const whole = response.writableFinished && request.method !== "HEAD";
      exchange.end({
        route: state.route,
        status,
        bytes: whole ? Number(response.getHeader("Content-Length") ?? 0) : 0,
      });
    });
    return next();
  };
}
