import { constants } from "node:http2";
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { EndlessStreams } from "./endless.ts";
import { sendAway } from "./goaway.ts";

/** When connections are closed that nobody asked to close. All in milliseconds; 0 is never. */
export interface ConnectionLimits {
  /** How old a connection may become, give or take a tenth, so that clients that came together do not leave together. */
  maxAgeMs: number;
  /** How long its calls may then take to end. */
  maxAgeGraceMs: number;
  /** How long a connection may be without a call. */
  maxIdleMs: number;
}

/** The connections of a server. */
export interface Connections {
  /** Asks every client to go elsewhere; resolves when the last connection is closed. */
  retire: () => Promise<void>;
  /**
   * Closes every connection at once.
   * @returns how many calls were open on them
   */
  destroy: () => number;
}

interface Connection {
  session: ServerHttp2Session;
  /** The calls on it. */
  streams: Set<ServerHttp2Stream>;
  idleSince: number;
  /** Closes it when the calls on it have ended. */
  retire: () => void;
}

/**
 * Follows the connections of an HTTP/2 server.
 * @param socketOf tells the socket of the session that is just being made
 * @param endless the streams that have to be ended when their connection is
 */
export function followConnections(
  server: Http2Server,
  limits: ConnectionLimits,
  socketOf: () => Socket,
  endless: EndlessStreams,
): Connections {
  const connections = new Set<Connection>();
  let onEmpty = (): void => {};

  server.on("session", (session: ServerHttp2Session) => {
    const socket = socketOf();
    // As grpc-js tells a call's peer.
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const streams = new Set<ServerHttp2Stream>();
    const connection: Connection = {
      session,
      streams,
      idleSince: Date.now(),
      retire: () => {
        if (session.closed || session.destroyed) return;
        // In this order: who hears first that a stream has ended may open the next one here.
        sendAway(session, socket);
        endless.end(peer);
        abandonAnswered(session, streams);
      },
    };
    connections.add(connection);
    session.on("stream", (stream) => {
      streams.add(stream);
      stream.once("close", () => {
        streams.delete(stream);
        connection.idleSince = Date.now();
      });
    });
    const timers = [limitAge(connection, limits), limitIdleness(connection, limits)];
    session.once("close", () => {
      for (const timer of timers) clearTimeout(timer);
      endless.forget(peer);
      connections.delete(connection);
      if (connections.size === 0) onEmpty();
    });
  });

  return {
    retire: () =>
      new Promise((resolve) => {
        onEmpty = resolve;
        if (connections.size === 0) resolve();
        for (const connection of connections) connection.retire();
      }),
    destroy: () => {
      let calls = 0;
      for (const { session, streams } of connections) {
        calls += streams.size;
        session.destroy();
      }
      return calls;
    },
  };
}

/** How often a connection that is to close is searched for calls that nobody needs any more, in milliseconds. */
const ABANDON_INTERVAL = 50;

/**
 * Ends calls that are answered whole while their callers go on sending, as callers of a stream may: nobody needs the rest, and the
 * connection would wait for it (https://www.rfc-editor.org/rfc/rfc9113#section-8.1).
 */
function abandonAnswered(session: ServerHttp2Session, streams: Set<ServerHttp2Stream>): void {
  const timer = setInterval(() => {
    for (const stream of streams) if (stream.state.localClose === 1) stream.close(constants.NGHTTP2_NO_ERROR);
  }, ABANDON_INTERVAL);
  session.once("close", () => clearInterval(timer));
}

function limitAge(
  { session, retire }: Connection,
  { maxAgeMs, maxAgeGraceMs }: ConnectionLimits,
): NodeJS.Timeout | undefined {
  if (maxAgeMs === 0) return undefined;
  const jitter = 0.9 + 0.2 * Math.random();
  const timer = setTimeout(() => {
    retire();
    setTimeout(() => session.destroy(), maxAgeGraceMs).unref();
  }, maxAgeMs * jitter);
  return timer.unref();
}

function limitIdleness(connection: Connection, { maxIdleMs }: ConnectionLimits): NodeJS.Timeout | undefined {
  if (maxIdleMs === 0) return undefined;
  const timer = setTimeout(() => {
    const idle = connection.streams.size === 0 && Date.now() - connection.idleSince >= maxIdleMs;
    if (idle) connection.retire();
    else timer.refresh();
  }, maxIdleMs);
  return timer.unref();
}
