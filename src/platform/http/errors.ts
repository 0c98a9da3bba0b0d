import { STATUS_CODES } from "node:http";
import type { Context, HttpError } from "koa";
import { isFailure, ServiceError, toServiceError, type Code } from "../errors.ts";
import { logFailure } from "../telemetry/request.ts";
import { headers } from "./headers.ts";
import { errorPage } from "./pages.ts";
import { respond } from "./representations.ts";
import { observed } from "./request-observer.ts";

/** HTTP status of each code (https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto). */
const statuses: Readonly<Record<Code, number>> = {
  CANCELLED: 499,
  UNKNOWN: 500,
  INVALID_ARGUMENT: 400,
  DEADLINE_EXCEEDED: 504,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  ABORTED: 409,
  OUT_OF_RANGE: 400,
  UNIMPLEMENTED: 501,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATA_LOSS: 500,
  UNAUTHENTICATED: 401,
};

/** Default of the Retry-After header of a 503, in milliseconds. */
const RETRY_AFTER_MS = 1000;

/** Converts anything thrown to its response. The detail is for callers: only an error that is meant for them shows its message. */
export function toErrorResponse(error: unknown) {
  // Errors of Koa's middleware have a status, and those of `ctx.throw` the rest, too (https://github.com/jshttp/http-errors).
  const properties = Object(error) as Partial<InstanceType<typeof HttpError>>;
  const { statusCode, status = statusCode, expose } = properties;
  const reason = STATUS_CODES[Number(status)];
  if (typeof status === "number" && status >= 400 && reason !== undefined) {
    // The headers of an upstream's response do not fit this one.
    const headers = (expose !== undefined && properties.headers) || {};
    return { status, detail: expose && error instanceof Error ? error.message : reason, headers };
  }
  const { code, message, retryAfterMs = NaN } = toServiceError(error);
  const retryMs = Number.isFinite(retryAfterMs) ? retryAfterMs : code === "UNAVAILABLE" ? RETRY_AFTER_MS : undefined;
  return {
    status: statuses[code],
    detail: message,
    headers: retryMs === undefined ? {} : { "Retry-After": String(Math.ceil(retryMs / 1000)) },
  };
}

/**
 * Responds to an error in the negotiated form. It replaces Koa's `context.onerror`, which Koa calls with whatever a middleware throws,
 * with the failure of a body stream, and with nothing at the end of each response.
 */
export function respondWithError(context: Context, error: unknown): void {
  const request = observed(context);
  // Koa reports the failure of a body stream several times.
  if (error === null || error === undefined || request.failed) return;
  request.failed = true;
  try {
    try {
      context.app.emit("error", error, context);
    } finally {
      respondToError(context, error);
    }
  } catch (failure) {
    // Koa calls this function in the events of streams, too, where an exception would end the process.
    request.record.log.error({ err: failure }, "Error handling failed");
    if (context.res.headersSent) context.res.destroy();
    else context.res.writeHead(500).end();
  }
}

function respondToError(context: Context, error: unknown): void {
  const { res: response } = context;
  // The client left, or the response is cut off in the middle: it must not end as if it were whole.
  if (response.headersSent || !context.writable) return void response.destroy();
  const { status, detail, headers: own } = toErrorResponse(error);
  const { requestId } = observed(context).record;
  const connection = response.getHeader("Connection");
  // The headers of the response that failed do not fit the error, as in Koa's own handler.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  if (connection !== undefined) response.setHeader("Connection", connection);
  context.set({ ...headers, "X-Request-Id": requestId, ...own });
  context.status = status;
  const title = STATUS_CODES[status] ?? (status === 499 ? "Client Closed Request" : String(status));
  const representations = {
    html: () => errorPage(title, detail, requestId),
    // Problem details: https://www.rfc-editor.org/rfc/rfc9457
    json: () => `${JSON.stringify({ title, status, detail, request_id: requestId })}\n`,
    text: () => errorText(detail, requestId),
  };
  respond(context, representations, "application/problem+json");
  response.end(context.method === "HEAD" ? undefined : context.body);
}

/** Codes of errors that mean that the client left. */
const clientGone = new Set<unknown>(["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "ABORT_ERR"]);

/** Logs a failure of the service. Ignores client errors, and errors after a disconnect. */
export function reportError(error: unknown, context: Context): void {
  const { req, res } = context;
  // Koa reports the error of the connection before it destroys the response.
  const disconnected = res.destroyed || error === req.socket.errored;
  if (disconnected && clientGone.has((Object(error) as { code?: unknown }).code)) return;
  if (error instanceof ServiceError ? !isFailure(error) : toErrorResponse(error).status < 500) return;
  logFailure(observed(context).record.log, error, `${context.method} ${context.originalUrl}`);
}

/** Renders an error as plain text. */
export function errorText(detail: string, requestId: string): string {
  return `${detail}\nRequest id: ${requestId}\n`;
}
