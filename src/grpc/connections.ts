import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Retirement } from "../telemetry/grpc.ts";
import type { EndlessStreams } from "./endless.ts";
import { closeGracefully } from "./goaway.ts";
import { observeCall } from "./observe.ts";
import type { CallObserver } from "./observe.ts";

/** When connections are closed that nobody asked to close, in milliseconds. */
export interface ConnectionLimits {
  /** How old a connection may become, give or take a tenth, so that clients that came together do not leave together; 0 is for ever. */
  maxAgeMs: number;
  /** How long its calls may then take to end. */
  maxAgeGraceMs: number;
  /** How long a connection may be without a call; 0 is for ever. */
  maxIdleMs: number;
}

/** The connections of a server. */
export interface Connections {
  /** Asks every client to go elsewhere; resolves when the last connection is closed. */
  retire: () => Promise<void>;
  /**
   * Closes every connection at once.
   * @returns how many calls were open on them, without those that nobody waits to end, when they are closed
   */
  destroy: () => Promise<number>;
}

interface Connection {
  /** The calls on it that somebody waits for. */
  calls: Set<ServerHttp2Stream>;
  /** Those that last until somebody ends them. */
  endlessCalls: Set<ServerHttp2Stream>;
  idleSince: number;
  /** Closes it when the calls on it have ended. */
  retire: (reason: Retirement) => void;
  /** Closes it at once. */
  destroy: () => void;
}

/** What is around the connections. */
interface Surroundings {
  /** Tells the socket of the session that is just being made. */
  socketOf: () => Socket;
  /** The streams that have to be ended when their connection is. */
  endless: EndlessStreams;
  calls: CallObserver;
}

/** Follows the connections of an HTTP/2 server. */
export function followConnections(
  server: Http2Server,
  limits: ConnectionLimits,
  { socketOf, endless, calls }: Surroundings,
): Connections {
  const connections = new Set<Connection>();
  let onEmpty = (): void => {};

  server.on("session", (session: ServerHttp2Session) => {
    const socket = socketOf();
    const connection = follow(session, socket, endless, calls);
    connections.add(connection);
    const stopTimers = [limitAge(connection, limits), limitIdleness(connection, limits)];
    session.once("close", () => {
      for (const stop of stopTimers) stop();
      connections.delete(connection);
      if (connections.size === 0) onEmpty();
    });
  });

  return {
    retire: () =>
      new Promise((resolve) => {
        onEmpty = resolve;
        if (connections.size === 0) resolve();
        for (const connection of connections) connection.retire("drain");
      }),
    destroy: async () => {
      const open = [...connections].flatMap(({ calls, endlessCalls }) => [...calls, ...endlessCalls]);
      const closed = open.map((stream) => new Promise<void>((resolve) => stream.once("close", resolve)));
      const cut = [...connections].reduce((sum, { calls }) => sum + calls.size, 0);
      for (const { destroy } of connections) destroy();
      await Promise.all(closed);
      return cut;
    },
  };
}

function follow(
  session: ServerHttp2Session,
  socket: Socket,
  endless: EndlessStreams,
  observer: CallObserver,
): Connection {
  // As grpc-js tells a call's peer.
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  const connection: Connection = {
    calls: new Set(),
    endlessCalls: new Set(),
    idleSince: Date.now(),
    retire: (reason) => {
      if (session.closed || session.destroyed) return;
      observer.telemetry.retired(reason);
      // In this order: who hears first that a stream has ended may open the next one here.
      closeGracefully(session, socket, connection);
      endless.end(peer);
    },
    destroy: () => {
      session.destroy();
      // The session leaves the socket half open until the peer closes it, too, and a peer that is gone never does.
      socket.destroy();
    },
  };
  // First of all listeners, so that grpc-js reads the headers as they are set here.
  session.prependListener("stream", (stream, headers) => {
    const tellEnd = observeCall(stream, headers, socket, observer);
    const streams = endless.paths.has(headers[":path"] ?? "") ? connection.endlessCalls : connection.calls;
    streams.add(stream);
    stream.on("close", () => {
      streams.delete(stream);
      connection.idleSince = Date.now();
      tellEnd();
    });
  });
  session.once("close", () => endless.forget(peer));
  return connection;
}

/** Both limits return what stops their timer. */
function limitAge({ retire, destroy }: Connection, { maxAgeMs, maxAgeGraceMs }: ConnectionLimits): () => void {
  if (maxAgeMs === 0) return () => {};
  const jitter = 0.9 + 0.2 * Math.random();
  let timer = setTimeout(() => {
    retire("age");
    timer = setTimeout(destroy, maxAgeGraceMs).unref();
  }, maxAgeMs * jitter).unref();
  return () => clearTimeout(timer);
}

function limitIdleness(connection: Connection, { maxIdleMs }: ConnectionLimits): () => void {
  if (maxIdleMs === 0) return () => {};
  const { calls, endlessCalls, retire } = connection;
  const check = (): void => {
    const left = calls.size + endlessCalls.size > 0 ? maxIdleMs : connection.idleSince + maxIdleMs - Date.now();
    if (left > 0) timer = setTimeout(check, left).unref();
    else retire("idle");
  };
  let timer = setTimeout(check, maxIdleMs).unref();
  return () => clearTimeout(timer);
}
