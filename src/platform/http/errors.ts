import { STATUS_CODES } from "node:http";
import { HttpError } from "koa";
import type { Context, Middleware } from "koa";
import { DeadlineExceededError, InvalidArgumentError, UnavailableError } from "../../greeter/greeter.ts";
import { observed } from "./request-observer.ts";
import { errorPage } from "./pages.ts";
import { respond } from "./representations.ts";

/** The one table from the domain's errors to HTTP's status codes (https://www.rfc-editor.org/rfc/rfc9110#name-status-codes). */
const table = [
  [InvalidArgumentError, 400],
  [UnavailableError, 503],
  [DeadlineExceededError, 504],
] as const;

/** How long a client should leave an unavailable service alone, in seconds. */
export const RETRY_AFTER = 1;

/** What some statuses have to say besides. */
const headersOf: Record<number, string[]> = { 405: ["Allow", "GET, HEAD"], 503: ["Retry-After", String(RETRY_AFTER)] };

/** Hears of an error that the caller is not told about, and of the request that failed. */
export type ErrorReport = (error: unknown, context: Context) => void;

/** Turns whatever is thrown behind it into an answer, in the form that was asked for. What is not the domain's becomes 500 and shows no detail. */
export function answerErrors(report: ErrorReport): Middleware {
  return async (context, next) => {
    try {
      await next();
    } catch (error) {
      const { status, detail } = toAnswer(error);
      if (status === 500) report(error, context);
      respondWithError(context, status, detail);
    }
  };
}

function toAnswer(error: unknown): { status: number; detail: string } {
  if (error instanceof HttpError && error.expose) return { status: error.status, detail: error.message };
  for (const [DomainError, status] of table) {
    if (error instanceof DomainError) return { status, detail: error.message };
  }
  return { status: 500, detail: "Internal error" };
}

function respondWithError(context: Context, status: number, detail: string): void {
  const title = STATUS_CODES[status] ?? String(status);
  const { requestId } = observed(context).exchange;
  respond(
    context,
    {
      html: () => errorPage(title, detail, requestId),
      // Problem details: https://www.rfc-editor.org/rfc/rfc9457
      json: () => `${JSON.stringify({ title, status, detail, request_id: requestId })}\n`,
      text: () => errorText(detail, requestId),
    },
    { status, more: headersOf[status] ?? [], jsonType: "application/problem+json" },
  );
}

/** An error as plain text. */
export function errorText(detail: string, requestId: string): string {
  return `${detail}\nRequest id: ${requestId}\n`;
}
