import { constants } from "node:http2";
import type { Connection } from "./connections.ts";

/** When connections are closed that nobody asked to close; in milliseconds, and 0 is never. */
export interface ConnectionLimits {
  /** How old a connection may become, give or take a tenth, so that clients that came together do not leave together. */
  maxAgeMs: number;
  /** How long its calls may then take to end. */
  maxAgeGraceMs: number;
  /** How long a connection may be without a call. */
  maxIdleMs: number;
  /** How long the beginning of HTTP/2 may take: the client's preface, and its word that it has read the server's settings. */
  handshakeTimeoutMs: number;
  /** How long a call may take. */
  maxTimeoutMs: number;
  /** How large a message may be, in bytes. */
  maxMessageSize: number;
}

/**
 * Holds a connection to its age, to its idleness and to a beginning.
 * @returns what stops that
 */
export function limitConnection(connection: Connection, limits: ConnectionLimits): () => void {
  const stops = [limitBeginning(connection, limits), limitAge(connection, limits), limitIdleness(connection, limits)];
  return () => {
    for (const stop of stops) stop();
  };
}

function limitBeginning({ session, destroy }: Connection, { handshakeTimeoutMs }: ConnectionLimits): () => void {
  if (handshakeTimeoutMs === 0) return () => {};
  const timer = setTimeout(destroy, handshakeTimeoutMs).unref();
  const stop = (): void => clearTimeout(timer);
  // The client has acknowledged them: without that, they do not hold.
  session.once("localSettings", stop);
  return stop;
}

function limitAge({ retire, destroy }: Connection, { maxAgeMs, maxAgeGraceMs }: ConnectionLimits): () => void {
  if (maxAgeMs === 0) return () => {};
  const jitter = 0.9 + 0.2 * Math.random();
  // No timer runs for longer.
  const ageMs = Math.min(maxAgeMs * jitter, 2 ** 31 - 1);
  let timer = setTimeout(() => {
    retire("age");
    timer = setTimeout(destroy, maxAgeGraceMs).unref();
  }, ageMs).unref();
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

/** How often {@link limitUse} wants to be called, in milliseconds. */
export const SWEEP_INTERVAL = 1000;

/** What a connection may send in a second without any call, in bytes: pings, settings, window updates and the like. */
const IDLE_BYTES = 2 ** 20;

/** How much of what it may send a connection can save up, in bytes. */
const MAX_CREDIT = 2 ** 24;

/** How long a call may take to end after its deadline, in milliseconds: its status has to be sent, and read. */
const PATIENCE = 1000;

/**
 * Ends the calls of a connection that should long have ended, such as those whose answer is not read, and closes a connection that
 * sends far more than its calls are worth. nghttp2, in Node, closes what floods it with resets, or with pings and settings that it
 * can't answer; every other flood looks like this one: many bytes and few calls.
 */
export function limitUse(connection: Connection, { maxTimeoutMs, maxMessageSize }: ConnectionLimits): void {
  const { calls, session, socket, traffic, destroy } = connection;
  // Node waits until the peer has read the session's last words, and keeps the socket for that.
  if (session.destroyed) return destroy();
  const overdue = Date.now() - maxTimeoutMs - PATIENCE;
  for (const { stream, since } of calls.values()) if (since < overdue) stream.close(constants.NGHTTP2_CANCEL);

  // Twice, for a message comes in frames; and with it come headers.
  const worth = traffic.calls * 2 * (maxMessageSize + IDLE_BYTES / 16);
  const spent = socket.bytesRead - traffic.bytes;
  traffic.credit = Math.min(traffic.credit + IDLE_BYTES + worth, MAX_CREDIT + worth) - spent;
  traffic.bytes = socket.bytesRead;
  traffic.calls = 0;
  if (traffic.credit < 0) destroy();
}

/** What a connection has sent, since {@link limitUse} has looked at it last. */
export interface Traffic {
  /** How many calls began. */
  calls: number;
  /** How much had come until then, in bytes. */
  bytes: number;
  /** How much more may come, in bytes. */
  credit: number;
}

/** That of a new connection. */
export function newTraffic(): Traffic {
  return { calls: 0, bytes: 0, credit: MAX_CREDIT };
}
