import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

/** State of one connection. */
export class Connection {
  /** Responses that are not sent completely. */
  unanswered: ServerResponse[] = [];
  /** Number of requests so far. */
  requests = 0;
  /** Bytes read when the last response was sent. */
  bytesRead = 0;
}

/** Open connections of a server. */
export type Connections = Map<Socket, Connection>;

/** Interval of the sweep of closing connections, in milliseconds: a round trip of a slow client. */
const SWEEP_INTERVAL_MS = 1000;

/** Returns the responses that are not sent completely. */
export function unansweredOf(connections: Connections): ServerResponse[] {
  return [...connections.values()].flatMap(({ unanswered }) => unanswered);
}

/**
 * Closes each connection after its last response, and resolves when none is left. Node closes a connection when the response is
 * written to the socket, which loses the part that a slow reader has not received.
 */
export async function closeWhenAnswered(connections: Connections): Promise<void> {
  for (const response of unansweredOf(connections)) {
    if (!response.headersSent) response.setHeader("Connection", "close");
  }
  // Reads what has arrived: closing would reset it.
  await turn();
  // A new connection has its first request still to send.
  for (const [socket, { unanswered, requests, bytesRead }] of connections) {
    if (requests > 0 && unanswered.length === 0 && socket.bytesRead === bytesRead) socket.destroy();
  }
  // Ends connections that no request needs: their headers were sent before the drain, their request never becomes whole, or
  // their peer does not close its side.
  const sweep = setInterval(() => {
    for (const [socket, { unanswered }] of connections) if (unanswered.length === 0) socket.destroy();
  }, SWEEP_INTERVAL_MS);
  for (const socket of connections.keys()) await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(sweep);
}
