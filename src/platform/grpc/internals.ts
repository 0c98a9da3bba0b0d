// Every use of a private part of Node or grpc-js. Each has its reason here, and a check that runs when the server starts.
import { Duplex } from "node:stream";
import type { EventEmitter } from "node:events";
import { writeSync } from "node:fs";
import { performServerHandshake, type ServerHttp2Session } from "node:http2";
import type { Server as Listener, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { ServerCredentials, type Server } from "@grpc/grpc-js";
import { StreamTable } from "./stream-table.ts";

/** Handler of grpc-js for HTTP/2 sessions and streams, which it takes as the events `session` and `stream`. */
export type Http2Handler = Pick<EventEmitter, "emit" | "listenerCount">;

/**
 * Returns the handler of a grpc-js server for sessions and streams of an HTTP/2 server that is not its own.
 *
 * Reason: a graceful drain, the limits on connections and the metrics need each session and its socket. grpc-js exposes neither, and
 * passes few of HTTP/2's limits on.
 * @throws {Error} this version of grpc-js keeps its HTTP/2 servers elsewhere
 */
export function http2HandlerOf(server: Server): Http2Handler {
  server.createConnectionInjector(ServerCredentials.createInsecure());
  const servers: unknown = Reflect.get(server, "http2Servers");
  const [handler] = servers instanceof Map ? ([...servers.keys()] as Http2Handler[]) : [];
  if (!handler || handler.listenerCount("session") !== 1 || handler.listenerCount("stream") !== 1) {
    throw new Error(
      "Cannot serve gRPC: @grpc/grpc-js keeps no HTTP/2 server with handlers in http2Servers: expected 1.14",
    );
  }
  return handler;
}

/** Returns the private part of a socket: its file descriptor, negative if there is none, and the bytes that wait to be written. */
function handleOf(socket: Socket | Listener): { fd?: number; writeQueueSize?: number } {
  return (Reflect.get(socket, "_handle") as object | null) ?? {};
}

/**
 * Checks what {@link writeToDescriptor} needs, on a listener: its handle has the class of the handles of its sockets.
 * @throws {Error} this version of Node has other handles
 */
export function checkDescriptors(listener: Listener): void {
  const { fd, writeQueueSize } = handleOf(listener);
  if (typeof fd === "number" && typeof writeQueueSize === "number") return;
  throw new Error(
    `Cannot serve gRPC: a socket of Node ${process.version} has no _handle.fd and writeQueueSize: expected Node 24 or 26`,
  );
}

/**
 * Writes bytes of HTTP/2 between two frames of Node's own.
 *
 * Reason: the first GOAWAY of a graceful shutdown. `session.goaway(0, 2 ** 31 - 1)` ignores the stream id, and a `socket.write()` that does
 * not complete at once aborts the process (node_http2.cc, `Http2Session::OnStreamAfterWrite`, in 26.10).
 * @returns false if nothing was written: over TLS, or while Node waits to write, which may be in the middle of a frame
 */
export function writeToDescriptor(socket: Socket, bytes: Buffer): boolean {
  const { fd = -1, writeQueueSize = 1 } = handleOf(socket);
  if (socket instanceof TLSSocket || fd < 0 || writeQueueSize > 0) return false;
  try {
    // After a partial write the connection is unusable.
    if (writeSync(fd, bytes) < bytes.length) socket.destroy();
    return true;
  } catch {
    return false;
  }
}

/** Returns the private state of a session, whose `streams` is a Map of its open streams by id (lib/internal/http2/core.js). */
function stateOf(session: ServerHttp2Session): { streams?: Map<number, unknown> } | undefined {
  const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === "state");
  return symbol && (Reflect.get(session, symbol) as { streams?: Map<number, unknown> });
}

/**
 * Makes Node keep the streams of a new session in a {@link StreamTable}.
 *
 * Reason: the garbage collection of Node's own Map costs a fifth of a call (see {@link StreamTable}).
 */
export function tableStreams(session: ServerHttp2Session): void {
  Object.assign(stateOf(session)!, { streams: new StreamTable() });
}

/**
 * Checks what {@link tableStreams} needs, on a session without a connection.
 * @throws {Error} this version of Node keeps the streams of a session elsewhere
 */
export function checkStreams(): void {
  const session = performServerHandshake(new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }));
  const { streams } = stateOf(session) ?? {};
  session.destroy();
  if (streams?.size === 0 && typeof streams.forEach === "function") return;
  throw new Error(
    `Cannot serve gRPC: a session of Node ${process.version} has no Map of its streams: expected Node 24 or 26`,
  );
}
