import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { Server as NetServer, type Socket } from "node:net";
import type { Router } from "@koa/router";
import type Koa from "koa";
import type { Middleware } from "koa";
import type { ListeningServer } from "../lifecycle/server-at.ts";
import type { ServerDependencies } from "../platform.ts";
import { createApp } from "./app.ts";
import { handleClientErrors, rejectOverload } from "./client-errors.ts";
import { closeWhenAnswered, Connection, unansweredOf, type Connections } from "./connections.ts";
import { observeRequest, ObservedRequest, ObservedResponse } from "./request-observer.ts";

export interface HttpServer extends ListeningServer {
  /** The Koa app, for example to listen to its errors. */
  app: Koa;
}

/** Maximum number of requests that wait for their responses on one connection. Few clients pipeline at all. */
const MAX_PIPELINED = 32;

/**
 * Creates the HTTP server of some services.
 * @param middleware routers of services, and any other Koa middleware, in the order in which they run
 */
export function createHttpServer(
  { config, readiness, admission, telemetry, tls }: ServerDependencies,
  middleware: readonly (Router | Middleware)[],
): HttpServer {
  const app = createApp(middleware, telemetry.http, config.httpMaxUrlSize);
  const handle = app.callback();
  const connections: Connections = new Map();

  const serve = (request: ObservedRequest, response: ObservedResponse): void => {
    const recordEnd = observeRequest(request, response, telemetry.http);
    const { socket } = request;
    const connection = connections.get(socket) ?? new Connection();
    connection.unanswered.push(response);
    const removeResponse = (): void => {
      connection.unanswered = connection.unanswered.filter((other) => other !== response);
      connection.bytesRead = socket.bytesRead;
    };
    let leave = (): void => {};
    response.on("close", () => {
      // A handler that ignores the signal must not hold its slot after its client has left.
      leave();
      removeResponse();
      recordEnd();
    });
    // Node reads all requests that arrive together, even if their responses are not read.
    if (connection.unanswered.length > MAX_PIPELINED) return void socket.destroy();
    const left = config.httpMaxRequestsPerConnection - ++connection.requests;
    // The connection is closing: the client has to repeat this request on another one.
    if (left < 0) return removeResponse();
    if (left === 0 || readiness.phase === "draining") response.setHeader("Connection", "close");
    if (admission.full) return rejectOverload(response, request.record.requestId);
    leave = admission.enter();
    handle(request, response).then(leave, () => {
      leave();
      response.destroy();
    });
  };

  const { httpHeadersTimeout: headersTimeout } = config;
  const options = {
    IncomingMessage: ObservedRequest,
    ServerResponse: ObservedResponse,
    // The app rejects a request without a host, with a reason.
    requireHostHeader: false,
    keepAliveTimeout: config.httpKeepAliveTimeout,
    headersTimeout,
    requestTimeout: headersTimeout,
    maxHeaderSize: config.httpMaxHeaderSize,
    // Interval in which Node looks for requests that exceed their timeout.
    connectionsCheckingInterval: Math.min(1000, headersTimeout || 1000),
  };
  const secure = tls && createTlsServer({ ...tls.options, ALPNProtocols: ["http/1.1"], ...options }, serve);
  const closeHandshakes = secure && tls.attach("http", secure);
  const listener = secure ?? createServer(options, serve);
  listener.maxConnections = config.maxConnections;
  listener.timeout = config.httpSendTimeout;
  listener.on(secure ? "secureConnection" : "connection", (socket: Socket) => {
    connections.set(socket, new Connection());
    socket.once("close", () => connections.delete(socket));
  });
  const isResponding = (socket: Socket): boolean =>
    connections.get(socket)?.unanswered.some(({ headersSent }) => headersSent) ?? false;
  handleClientErrors(listener, telemetry.http, isResponding);

  return {
    app,
    listener,
    drain: async () => {
      // http.Server's own close() closes connections whose responses are not sent, and stops looking for late requests.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(listener, resolve));
      closeHandshakes?.();
      await closeWhenAnswered(connections);
      await closed;
    },
    cut: async () => {
      const cut = unansweredOf(connections);
      const closed = cut.map((response) => new Promise((resolve) => response.once("close", resolve)));
      listener.close();
      closeHandshakes?.();
      for (const socket of connections.keys()) socket.destroy();
      await Promise.all(closed);
      return cut.length;
    },
  };
}
