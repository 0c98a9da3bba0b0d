import { STATUS_CODES } from "node:http";
import type { Context } from "koa";
import { headers } from "./headers.ts";
import { observed } from "./request-observer.ts";

/** A whole answer. */
export interface Answer {
  status?: number;
  /** Its media type, with the charset. */
  type: string;
  body: string;
  /** What it has beside the headers of every answer: names and values by turns. */
  more?: readonly string[];
}

/** The headers of every answer, as names and values by turns. */
const common = Object.entries({ ...headers, Vary: "Accept" }).flat();

/**
 * Sends an answer, all of it at once. Koa would set, look up and check its headers one by one, and listen for its end, which others
 * here do already: a third of what a greeting costs.
 */
export function answer(context: Context, { status = 200, type, body, more = [] }: Answer): void {
  const { res: response } = context;
  // Whoever sends a body is told to close the connection, and may be closed before.
  if (response.headersSent || response.destroyed) return;
  const request = observed(context);
  const length = Buffer.byteLength(body);
  request.bytes = length;
  const own = ["X-Request-Id", request.exchange.requestId, "Content-Type", type, "Content-Length", String(length)];
  response.writeHead(status, STATUS_CODES[status], [...common, ...own, ...more]).end(body);
}
