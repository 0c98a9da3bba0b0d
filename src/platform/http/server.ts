import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { Server as NetServer } from "node:net";
import type { Socket } from "node:net";

import type Koa from "koa";
import type { Admission } from "../lifecycle/admission.ts";
import type { Readiness } from "../lifecycle/readiness.ts";
import type { HttpTelemetry } from "../telemetry/http.ts";
import type { Tls } from "../tls/tls.ts";
import { observe, ObservedRequest } from "./request-observer.ts";
import { closeWhenAnswered, newConnection, unansweredOf } from "./connections.ts";
import type { Connections } from "./connections.ts";
import { answerRefusals, refuseOverload } from "./client-errors.ts";

export interface HttpServerOptions {
  app: Koa;
  /** Hears of every request, of those too that never reach the app. */
  telemetry: HttpTelemetry;
  readiness: Readiness;
  admission: Admission;
  /** Undefined for plain HTTP. */
  tls: Tls | undefined;
  /** How many connections there may be; more are closed at once. */
  maxConnections: number;
  /** How large the first line and the headers of a request may be together, in bytes. */
  maxHeaderSize: number;
  /** How many requests a connection may serve, before its client must open another. */
  maxRequestsPerConnection: number;
  /** How long nothing may move on a connection with an unanswered request, in milliseconds: for clients that don't read. */
  sendTimeoutMs: number;
  /** How long a connection may wait for its next request, in milliseconds. */
  keepAliveTimeoutMs: number;
  /** How long the headers of a request may take to arrive, in milliseconds. */
  headersTimeoutMs: number;
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

/** How many requests may wait for their answers on a connection: clients that send the next one before that are rare. */
const MAX_PIPELINED = 32;

/** Builds the HTTP server of an app. */
export function createHttpServer({
  app,
  telemetry,
  readiness,
  admission,
  tls,
  ...limits
}: HttpServerOptions): HttpServer {
  const answer = app.callback();
  const connections: Connections = new Map();
  const serve = (request: ObservedRequest, response: ServerResponse): void => {
    const tellEnd = observe(request, response, telemetry);
    const connection = connections.get(request.socket) ?? newConnection();
    connection.unanswered.push(response);
    const forget = (): void => {
      connection.unanswered = connection.unanswered.filter((other) => other !== response);
      connection.bytesRead = request.socket.bytesRead;
    };
    response.on("close", () => {
      forget();
      tellEnd();
    });
    // Of what arrives at once, Node reads all requests, whether or not their answers are read.
    if (connection.unanswered.length > MAX_PIPELINED) return void request.socket.destroy();
    const left = limits.maxRequestsPerConnection - ++connection.requests;
    // Sent too soon: the connection is closing, and the client will ask again on another.
    if (left < 0) return forget();
    // A client that keeps its connection open is sent to open another one, elsewhere when it is draining.
    if (left === 0 || readiness.phase === "draining") response.setHeader("Connection", "close");
    if (admission.full) refuseOverload(response, request.exchange.requestId);
    else {
      admission.enter();
      answer(request, response).then(admission.leave, () => {
        admission.leave();
        response.destroy();
      });
    }
  };

  const { keepAliveTimeoutMs: keepAliveTimeout, headersTimeoutMs: headersTimeout, maxHeaderSize } = limits;
  const options = {
    IncomingMessage: ObservedRequest,
    // The app answers a request without a host, with a reason.
    requireHostHeader: false,
    keepAliveTimeout,
    headersTimeout,
    // A request is its headers: nothing here reads a body.
    requestTimeout: headersTimeout,
    maxHeaderSize,
    // How often Node looks for requests that are late.
    connectionsCheckingInterval: Math.min(1000, headersTimeout || 1000),
  };
  const secure = tls && createTlsServer({ ...tls.options, ALPNProtocols: ["http/1.1"], ...options }, serve);
  const handshakes = secure && tls.attach("http", secure);
  const listener = secure ?? createServer(options, serve);
  listener.maxConnections = limits.maxConnections;
  listener.timeout = limits.sendTimeoutMs;
  listener.on(secure ? "secureConnection" : "connection", (socket: Socket) => {
    connections.set(socket, newConnection());
    socket.once("close", () => connections.delete(socket));
  });
  answerRefusals(listener, telemetry);

  return {
    listener,
    drain: async () => {
      // Not by its own close(): that closes connections whose answers are not out yet, and looks for late requests no more.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(listener, resolve));
      handshakes?.abandon();
      await closeWhenAnswered(connections);
      await closed;
    },
    cut: async () => {
      const closed = unansweredOf(connections).map(
        (response) => new Promise<void>((resolve) => response.once("close", resolve)),
      );
      listener.close();
      handshakes?.abandon();
      for (const socket of connections.keys()) socket.destroy();
      await Promise.all(closed);
      return closed.length;
    },
  };
}
