import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

/** What is to be known of a connection. */
export interface Connection {
  /** A few at most; an array, for a Set would keep them from the garbage collector (see grpc/stream-table.ts). */
  unanswered: ServerResponse[];
  /** How many requests there were. */
  requests: number;
  /** How many bytes had come when the last answer was out. */
  bytesRead: number;
}

/** The connections of a server. */
export type Connections = Map<Socket, Connection>;

/** How long a client may take for what costs it a round trip, in milliseconds. */
const PATIENCE = 1000;

export function newConnection(): Connection {
  return { unanswered: [], requests: 0, bytesRead: 0 };
}

/** What is not out yet. */
export function unansweredOf(connections: Connections): ServerResponse[] {
  return [...connections.values()].flatMap(({ unanswered }) => unanswered);
}

/**
 * Closes connections when nobody waits for an answer on them; resolves when none is left. Node closes them as soon as the answer has
 * been written, be it still here because its reader is slow: that would lose it.
 */
export async function closeWhenAnswered(connections: Connections): Promise<void> {
  for (const response of unansweredOf(connections)) {
    if (!response.headersSent) response.setHeader("Connection", "close");
  }
  // What has come by now is read: closing would reset it.
  await turn();
  // One that is new has its request still to send.
  for (const [socket, { unanswered, requests, bytesRead }] of connections) {
    if (requests > 0 && unanswered.length === 0 && socket.bytesRead === bytesRead) socket.destroy();
  }
  // What is left now and then has no request that somebody waits for: an answer that had its headers already, a request that never
  // becomes whole, a peer that does not close its side.
  const sweep = setInterval(() => {
    for (const [socket, { unanswered }] of connections) if (unanswered.length === 0) socket.destroy();
  }, PATIENCE);
  for (const socket of connections.keys()) await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(sweep);
}
