import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Platform } from "../platform.ts";
import type { AdmissionGate } from "./admission-gate.ts";
import { Connection } from "./connection.ts";
import { enforceLimits, SWEEP_INTERVAL_MS } from "./connection-limits.ts";
import { tableStreams } from "./internals.ts";
import type { Methods } from "./method.ts";

/**
 * Tracks the connections of an HTTP/2 server, and enforces their limits.
 * @param socketOf returns the socket of the session that is being created
 */
export function trackConnections(
  platform: Pick<Platform, "config" | "telemetry">,
  server: Http2Server,
  socketOf: () => Socket,
  methods: Methods,
  serve: AdmissionGate,
) {
  const connections = new Set<Connection>();

  server.on("session", (session: ServerHttp2Session) => {
    tableStreams(session);
    const connection = new Connection(session, socketOf(), platform);
    serveStreams(connection, methods, serve);
    connections.add(connection);
    session.once("localSettings", () => (connection.limits.acknowledged = true));
    session.once("close", () => connections.delete(connection));
  });

  const sweep = (): void => connections.forEach((connection) => enforceLimits(connection, platform.config));
  setInterval(sweep, SWEEP_INTERVAL_MS).unref();

  return {
    /** Closes every connection after its last call. Resolves when all are closed. */
    closeGracefully: async (): Promise<void> => {
      const closed = [...connections].map(({ session }) => new Promise((resolve) => session.once("close", resolve)));
      for (const connection of connections) connection.closeGracefully("drain");
      await Promise.all(closed);
    },
    /** Closes every connection at once. Resolves with the number of calls cut off; long-lived ones do not count. */
    destroy: async (): Promise<number> => {
      const open = [...connections].flatMap(({ streams }) => streams);
      const closed = open.map((stream) => new Promise<void>((resolve) => stream.once("close", resolve)));
      const cut = [...connections].reduce((sum, { calls }) => sum + calls.size, 0);
      for (const connection of connections) connection.destroy();
      await Promise.all(closed);
      return cut;
    },
  };
}

function serveStreams(connection: Connection, methods: Methods, serve: AdmissionGate): void {
  const { session, calls, longLivedCalls, limits } = connection;
  session.on("stream", (stream, headers) => {
    limits.newCalls++;
    const id = stream.id!;
    const method = methods.get(headers[":path"] ?? "");
    if (method?.options.longLived) longLivedCalls.add(stream);
    else calls.set(id, { stream, since: performance.now() });
    let onClose = (): void => {};
    stream.on("close", () => {
      if (!calls.delete(id)) longLivedCalls.delete(stream);
      limits.idleSince = performance.now();
      onClose();
    });
    onClose = serve(stream, headers, connection, method);
  });
}
