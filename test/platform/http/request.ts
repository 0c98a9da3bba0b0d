import { request } from "node:http";
import type { Agent, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface RequestOptions {
  method?: string;
  accept?: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
  /** Keeps connections; without it each request has its own. */
  agent?: Agent;
}

/**
 * Sends one request, with the path exactly as it is given: fetch would tidy it up.
 * @param origin `http://host:port`
 */
export function send(
  origin: string,
  path: string,
  { method = "GET", accept, body = "", agent, ...options }: RequestOptions = {},
): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const headers = { ...options.headers, ...(accept !== undefined && { accept }) };
    request({ hostname, port, path, method, headers, agent: agent ?? false }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode!, headers: response.headers, body }), reject);
    })
      .on("error", reject)
      .end(body);
  });
}

/** What a browser shows of a page: its text, with the character references resolved and the head left out. */
export function shownText(html: string): string {
  const references: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'", "#x60": "`" };
  return html
    .replace(/[^]*<main>|<\/main>[^]*/g, "")
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll(/&([^;]+);/g, (reference, name: string) => references[name] ?? reference);
}

/** The body of an error as plain text, without the request id at its end. */
export function withoutRequestId(body: string): string {
  return body.replace(/^Request id: [\w-]{36}\n$/m, "");
}
