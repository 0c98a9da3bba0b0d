import { STATUS_CODES } from "node:http";
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { HttpArrival, HttpTelemetry } from "../telemetry/http.ts";
import { errorText, RETRY_AFTER } from "./errors.ts";
import { headers as commonHeaders } from "./headers.ts";
import { observed } from "./request-observer.ts";

/** How long a client may take to read why it was refused, in milliseconds. */
const PATIENCE = 1000;

/** Answers a request that is one too many, without asking the app: that has to be cheap. */
export function refuseOverload(response: ServerResponse, requestId: string): void {
  const body = errorText("Overloaded: too many requests are in flight", requestId);
  const length = Buffer.byteLength(body);
  observed(response).bytes = length;
  response.writeHead(503, { ...overloadHeaders, "X-Request-Id": requestId, "Content-Length": length }).end(body);
}

const overloadHeaders = {
  ...commonHeaders,
  "Retry-After": String(RETRY_AFTER),
  "Content-Type": "text/plain; charset=utf-8",
};

/** Answers what never reaches the app, with the reason: Node alone would close the connection with a bare status, or with nothing. */
export function answerRefusals(listener: Server, telemetry: HttpTelemetry): void {
  // What Node's parser refuses.
  listener.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === "ECONNRESET") socket.destroy();
    else refuse(socket, refusals[error.code ?? ""] ?? [400, `Malformed HTTP request: ${error.message}`], telemetry);
  });
  // What a client expects beyond an answer is nothing that a greeting could fail.
  for (const expectation of ["checkContinue", "checkExpectation"]) {
    listener.on(expectation, (request, response) => listener.emit("request", request, response));
  }
  listener.on("connect", (request, socket) =>
    refuse(socket, [405, "Cannot CONNECT here: expected GET or HEAD"], telemetry, request),
  );
}

type Refusal = [status: number, detail: string];

const refusals: Record<string, Refusal> = {
  HPE_INVALID_URL: [400, "Malformed HTTP request: expected a percent-encoded path and query"],
  HPE_HEADER_OVERFLOW: [431, "The request's headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not arrive in time"],
};

/** A request of which nothing is known. */
const unreadable: Pick<HttpArrival, "method" | "url" | "headers" | "httpVersion"> = { headers: {}, httpVersion: "1.1" };

/** @param request what could be read of it */
function refuse(socket: Duplex, [status, detail]: Refusal, telemetry: HttpTelemetry, request = unreadable): void {
  // Node has no ear for it any more once it has handed a socket over, and an error that nobody hears ends the process.
  socket.on("error", () => {});
  const { method, url, headers, httpVersion } = request;
  const exchange = telemetry.begin({ method, url, headers, httpVersion, socket: socket as Socket });
  const body = errorText(detail, exchange.requestId);
  const fields = {
    ...commonHeaders,
    ...(status === 405 && { Allow: "GET, HEAD" }),
    "X-Request-Id": exchange.requestId,
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
    Connection: "close",
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
  exchange.end({ route: "_OTHER", status, bytes: Buffer.byteLength(body) });
  // Its client may keep its side open, and would keep the socket with it.
  setTimeout(() => socket.destroy(), PATIENCE).unref();
}
