import { constants } from "node:http2";
import type { PlatformConfig } from "../config/settings.ts";
import type { Connection } from "./connection.ts";

/** Interval of {@link enforceLimits}, in milliseconds. */
export const SWEEP_INTERVAL_MS = 250;

/** Bytes that a connection may send in each interval without a call: pings, settings, window updates. */
const IDLE_BYTES = 2 ** 18;

/** Bytes for the metadata and the frames of a call, beside its message. */
const CALL_BYTES = 2 ** 17;

/** Maximum number of unused bytes that a connection can accumulate. */
const MAX_CREDIT_BYTES = 2 ** 24;

/** Time for the status of a call to be sent and read after the deadline, in milliseconds. */
const STATUS_TIMEOUT_MS = 1000;

/** State of a connection that its limits depend on. Times are in milliseconds by the monotonic clock. */
export type LimitState = ReturnType<typeof newLimitState>;

/** Returns the state of a new connection. The jitter comes from `random`, which returns 0 to 1. */
export function newLimitState({ grpcMaxConnectionAge }: PlatformConfig, random = Math.random) {
  const now = performance.now();
  return {
    openedAt: now,
    idleSince: now,
    /** Maximum age, with a jitter of ±10 % so that clients that connected together do not reconnect together; 0 is unlimited. */
    maxAgeMs: grpcMaxConnectionAge * (0.9 + 0.2 * random()),
    /** Whether the client has acknowledged the server's settings, which ends the handshake. */
    acknowledged: false,
    newCalls: 0,
    bytesRead: 0,
    creditBytes: MAX_CREDIT_BYTES,
  };
}

/** Enforces the limits of a connection. A limit of 0 is none. */
export function enforceLimits(connection: Connection, config: PlatformConfig): void {
  const { session, calls, longLivedCalls, limits } = connection;
  const now = performance.now();
  const exceeds = (since: number, limitMs: number): boolean => limitMs > 0 && now - since > limitMs;
  const idle = calls.size + longLivedCalls.size === 0;

  // Node keeps the socket of a destroyed session until the peer has read everything.
  if (session.destroyed) return connection.destroy();
  if (!limits.acknowledged && exceeds(limits.openedAt, config.handshakeTimeout)) return connection.destroy();
  if (exceeds(limits.openedAt, limits.maxAgeMs)) connection.closeGracefully("age");
  if (exceeds(limits.openedAt + config.grpcMaxConnectionAgeGrace, limits.maxAgeMs)) return connection.destroy();
  if (idle && exceeds(limits.idleSince, config.grpcMaxConnectionIdle)) connection.closeGracefully("idle");
  // A call that exceeds its deadline, for example because its client does not read.
  for (const { stream, since } of calls.values()) {
    if (exceeds(since, config.grpcMaxTimeout + STATUS_TIMEOUT_MS)) stream.close(constants.NGHTTP2_CANCEL);
  }
  if (spendCredit(connection, config) < 0) connection.destroy();
}

/**
 * Charges the bytes since the last sweep, and returns the rest. It is negative for a client that sends floods of non-call frames:
 * many bytes with few calls. nghttp2, inside Node, bounds resets, pings and settings by their number.
 */
function spendCredit({ socket, limits }: Connection, { grpcMaxMessageSize }: PlatformConfig): number {
  const earned = IDLE_BYTES + limits.newCalls * (2 * grpcMaxMessageSize + CALL_BYTES);
  limits.creditBytes = Math.min(limits.creditBytes + earned, MAX_CREDIT_BYTES + earned);
  limits.creditBytes -= socket.bytesRead - limits.bytesRead;
  limits.bytesRead = socket.bytesRead;
  limits.newCalls = 0;
  return limits.creditBytes;
}
