import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Retirement } from "../telemetry/grpc.ts";
import { limitConnection, limitUse, newTraffic, SWEEP_INTERVAL } from "./connection-limits.ts";
import type { ConnectionLimits, Traffic } from "./connection-limits.ts";
import { StreamTable, tableStreams } from "./stream-table.ts";
import type { EndlessStreams } from "./long-lived.ts";
import { closeGracefully } from "./goaway.ts";

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

/** A call, and since when it has been one, in milliseconds since 1970. */
export interface Call {
  stream: ServerHttp2Stream;
  since: number;
}

/** One connection. */
export interface Connection {
  session: ServerHttp2Session;
  socket: Socket;
  /** The calls on it that somebody waits for. */
  calls: StreamTable<Call>;
  /** Those that last until somebody ends them. */
  endlessCalls: Set<ServerHttp2Stream>;
  idleSince: number;
  traffic: Traffic;
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
  /** Serves a call, and gives what is to be called when its stream is closed. */
  serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, socket: Socket) => () => void;
  /** Hears why a connection's client was sent away. */
  retired: (reason: Retirement) => void;
}

/** Follows the connections of an HTTP/2 server. */
export function followConnections(
  server: Http2Server,
  limits: ConnectionLimits,
  surroundings: Surroundings,
): Connections {
  const connections = new Set<Connection>();
  let onEmpty = (): void => {};

  server.on("session", (session: ServerHttp2Session) => {
    tableStreams(session);
    const connection = follow(session, surroundings);
    connections.add(connection);
    const stopLimits = limitConnection(connection, limits);
    session.once("close", () => {
      stopLimits();
      connections.delete(connection);
      if (connections.size === 0) onEmpty();
    });
  });

  const sweep = (): void => connections.forEach((connection) => limitUse(connection, limits));
  setInterval(sweep, SWEEP_INTERVAL).unref();

  return {
    retire: () =>
      new Promise((resolve) => {
        onEmpty = resolve;
        if (connections.size === 0) resolve();
        for (const connection of connections) connection.retire("drain");
      }),
    destroy: async () => {
      const open = [...connections].flatMap(({ calls, endlessCalls }) => [
        ...calls.values().map(({ stream }) => stream),
        ...endlessCalls,
      ]);
      const closed = open.map((stream) => new Promise<void>((resolve) => stream.once("close", resolve)));
      const cut = [...connections].reduce((sum, { calls }) => sum + calls.size, 0);
      for (const { destroy } of connections) destroy();
      await Promise.all(closed);
      return cut;
    },
  };
}

function follow(session: ServerHttp2Session, { socketOf, endless, serve, retired }: Surroundings): Connection {
  const socket = socketOf();
  // As grpc-js tells a call's peer.
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  let retiring = false;
  const connection: Connection = {
    session,
    socket,
    calls: new StreamTable(),
    endlessCalls: new Set(),
    idleSince: Date.now(),
    traffic: newTraffic(),
    retire: (reason) => {
      // One that the client has said goodbye on is closed in Node's eyes, and yet open until its last stream ends.
      if (retiring || session.destroyed) return;
      retiring = true;
      retired(reason);
      // In this order: who hears first that a stream has ended may open the next one here.
      closeGracefully(connection);
      endless.end(peer);
    },
    destroy: () => {
      session.destroy();
      // The session leaves the socket half open until the peer closes it, too, and a peer that is gone never does.
      socket.destroy();
    },
  };
  session.on("stream", (stream, headers) => {
    const { calls, endlessCalls, traffic } = connection;
    traffic.calls++;
    const id = stream.id!;
    if (endless.paths.has(headers[":path"] ?? "")) endlessCalls.add(stream);
    else calls.set(id, { stream, since: Date.now() });
    let onClose = (): void => {};
    stream.on("close", () => {
      if (!calls.delete(id)) endlessCalls.delete(stream);
      connection.idleSince = Date.now();
      onClose();
    });
    onClose = serve(stream, headers, socket);
  });
  session.once("close", () => endless.forget(peer));
  return connection;
}
