import type { Connection } from "./connections.ts";

/** When connections are closed that nobody asked to close, in milliseconds. */
export interface ConnectionLimits {
  /** How old a connection may become, give or take a tenth, so that clients that came together do not leave together; 0 is for ever. */
  maxAgeMs: number;
  /** How long its calls may then take to end. */
  maxAgeGraceMs: number;
  /** How long a connection may be without a call; 0 is for ever. */
  maxIdleMs: number;
  /** How long the preface of HTTP/2 may take; 0 is for ever. */
  handshakeTimeoutMs: number;
}

/**
 * Holds a connection to its limits.
 * @returns what stops that
 */
export function limitConnection(connection: Connection, limits: ConnectionLimits): () => void {
  const stops = [limitPreface(connection, limits), limitAge(connection, limits), limitIdleness(connection, limits)];
  return () => {
    for (const stop of stops) stop();
  };
}

function limitPreface({ session, destroy }: Connection, { handshakeTimeoutMs }: ConnectionLimits): () => void {
  if (handshakeTimeoutMs === 0) return () => {};
  const timer = setTimeout(destroy, handshakeTimeoutMs).unref();
  const stop = (): void => clearTimeout(timer);
  // What a client says first, right after the preface.
  session.once("remoteSettings", stop);
  return stop;
}

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
