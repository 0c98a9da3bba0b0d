import { STATUS_CODES, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { overloaded } from "../lifecycle/admission.ts";
import type { HttpRequestStart, HttpTelemetry } from "../telemetry/http.ts";
import { errorText, toErrorResponse } from "./errors.ts";
import { headers as commonHeaders } from "./headers.ts";

/** Maximum time for a client to read why it was rejected, in milliseconds. */
const READ_TIMEOUT_MS = 1000;

const overload = toErrorResponse(overloaded());

/** Rejects a request at the limit of requests in flight. It bypasses the app, because rejecting must be cheap. */
export function rejectOverload(response: ServerResponse, requestId: string): void {
  const { body, headers } = plainText(overload.detail, requestId);
  response.writeHead(overload.status, { ...headers, ...overload.headers }).end(body);
}

/** Responds with a reason to requests that never reach the app. Node closes the connection with a bare status, or without one. */
export function handleClientErrors(
  listener: Server,
  telemetry: HttpTelemetry,
  isResponding: (socket: Socket) => boolean,
): void {
  listener.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // A second response inside one that is being sent would corrupt it.
    if (!socket.writable || error.code === "ECONNRESET" || isResponding(socket as Socket)) socket.destroy();
    else reject(socket, rejections[error.code ?? ""] ?? [400, `Malformed HTTP request: ${error.message}`], telemetry);
  });
  // No interim response: a client sends its body after a while without one.
  for (const expectation of ["checkContinue", "checkExpectation"]) {
    listener.on(expectation, (request, response) => listener.emit("request", request, response));
  }
  listener.on("connect", (request, socket) =>
    reject(socket, [405, "Cannot CONNECT here: this is no proxy"], telemetry, request),
  );
}

type Rejection = [status: number, detail: string];

const rejections: Record<string, Rejection> = {
  HPE_INVALID_URL: [400, "Malformed HTTP request: expected a percent-encoded path and query"],
  HPE_HEADER_OVERFLOW: [431, "The request's headers are too large"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not arrive in time"],
};

/** A request that could not be parsed. */
const unreadable: Omit<HttpRequestStart, "socket"> = { headers: {}, httpVersion: "1.1" };

/** @param request the parsed part of it */
function reject(socket: Duplex, [status, detail]: Rejection, telemetry: HttpTelemetry, request = unreadable): void {
  // Node removes its own error listener from a detached socket, and an unhandled error ends the process.
  socket.on("error", () => {});
  const { method, url, headers, httpVersion } = request;
  const record = telemetry.startRequest({ method, url, headers, httpVersion, socket: socket as Socket });
  const { body, headers: own } = plainText(detail, record.requestId);
  const fields = { ...own, ...(status === 405 && { Allow: "GET, HEAD" }), Connection: "close" };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
  record.end({ route: undefined, status, bytes: Buffer.byteLength(body) });
  // A client that keeps its side open would keep the socket open.
  setTimeout(() => socket.destroy(), READ_TIMEOUT_MS).unref();
}

/** Returns the body and the headers of an error as plain text. */
function plainText(detail: string, requestId: string) {
  const body = errorText(detail, requestId);
  const type = { "Content-Type": "text/plain; charset=utf-8", "Content-Length": Buffer.byteLength(body) };
  return { body, headers: { ...commonHeaders, "X-Request-Id": requestId, ...type } };
}
