import { createServer, STATUS_CODES } from "node:http";
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type Koa from "koa";
import type { Readiness } from "../readiness.ts";
import type { HttpArrival, HttpTelemetry } from "../telemetry/http.ts";
import { errorText } from "./errors.ts";
import { headers as commonHeaders } from "./headers.ts";
import { observe, ObservedRequest } from "./observe.ts";

export interface HttpServerOptions {
  app: Koa;
  /** Hears of every request, of those too that never reach the app. */
  telemetry: HttpTelemetry;
  readiness: Readiness;
  /** How long a connection may wait for its next request, in milliseconds. */
  keepAliveTimeoutMs: number;
  /** How long the headers of a request may take to arrive, in milliseconds. */
  headersTimeoutMs: number;
  /** How long a whole request may take to arrive, in milliseconds. */
  requestTimeoutMs: number;
}

export interface HttpServer {
  /** Not yet listening. */
  listener: Server;
  /** Takes no new connection, closes the idle ones, and resolves when the last request is answered. */
  drain: () => Promise<void>;
  /**
   * Closes every connection at once.
   * @returns how many requests were not yet answered, when their connections are closed
   */
  cut: () => Promise<number>;
}

/** How long a client may take for what costs it a round trip, in milliseconds. */
const PATIENCE = 1000;

/** Builds the HTTP server of an app. */
export function createHttpServer({ app, telemetry, readiness, ...timeouts }: HttpServerOptions): HttpServer {
  const answer = app.callback();
  const unanswered = new Set<ServerResponse>();
  // A request that has to be whole in time has its headers in that time, too; Node refuses to be told otherwise.
  const { keepAliveTimeoutMs: keepAliveTimeout, requestTimeoutMs: requestTimeout } = timeouts;
  const headersTimeout = requestTimeout
    ? Math.min(timeouts.headersTimeoutMs, requestTimeout)
    : timeouts.headersTimeoutMs;
  const listener = createServer(
    {
      IncomingMessage: ObservedRequest,
      // The app answers a request without a host, with a reason.
      requireHostHeader: false,
      keepAliveTimeout,
      headersTimeout,
      requestTimeout,
      // How often Node looks for requests that are late.
      connectionsCheckingInterval: Math.min(1000, headersTimeout || 1000),
    },
    (request, response) => {
      const tellEnd = observe(request, response, telemetry);
      unanswered.add(response);
      response.on("close", () => {
        unanswered.delete(response);
        tellEnd();
      });
      // A client that keeps its connection open is sent to open another one, elsewhere.
      if (readiness.phase === "draining") response.setHeader("Connection", "close");
      answer(request, response).catch(() => response.destroy());
    },
  );
  const sockets = new Set<Socket>();
  listener.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  answerRefusals(listener, telemetry);

  return {
    listener,
    drain: () =>
      new Promise((resolve) => {
        for (const response of unanswered) if (!response.headersSent) response.setHeader("Connection", "close");
        listener.close(() => resolve());
        // What is left now and then has no request that somebody waits for: an answer that had its headers already, a request that
        // never becomes whole, a peer that does not close its side.
        const sweep = setInterval(() => {
          const busy = new Set([...unanswered].map(({ socket }) => socket));
          for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
        }, PATIENCE);
        listener.once("close", () => clearInterval(sweep));
      }),
    cut: async () => {
      const closed = [...unanswered].map((response) => new Promise<void>((resolve) => response.once("close", resolve)));
      listener.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
      return closed.length;
    },
  };
}

/** Answers what never reaches the app, with the reason: Node alone would close the connection with a bare status, or with nothing. */
function answerRefusals(listener: Server, telemetry: HttpTelemetry): void {
  // What Node's parser refuses.
  listener.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === "ECONNRESET") socket.destroy();
    else refuse(socket, refusals[error.code ?? ""] ?? [400, `Malformed HTTP request: ${error.message}`], telemetry);
  });
  // What a client expects beyond an answer is nothing that a greeting could fail.
  listener.on("checkExpectation", (request, response) => listener.emit("request", request, response));
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
