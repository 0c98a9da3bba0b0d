import type { ServerHttp2Session } from "node:http2";
import { Socket } from "node:net";
import test from "ava";
import { Connection } from "../../../src/platform/grpc/connection.ts";
import { enforceLimits, newLimitState, type LimitState } from "../../../src/platform/grpc/connection-limits.ts";
import { testConfig } from "../../fixtures/config.ts";
import { collectTelemetry } from "../telemetry/collect.ts";

/** A margin in milliseconds for the time that a test takes. */
const MARGIN_MS = 60_000;

const config = testConfig({
  handshakeTimeout: 0,
  grpcMaxConnectionAge: 3_600_000,
  grpcMaxConnectionAgeGrace: 600_000,
  grpcMaxConnectionIdle: 1_800_000,
  grpcMaxMessageSize: 1024,
});

/** Enforces the limits of a connection in some state, and returns what happens to the connection. */
function actionsOn(
  state: Partial<LimitState>,
  {
    openCall = false,
    openSince = performance.now(),
    longLivedCall = false,
    bytesRead = 0,
    destroyed = false,
    limitsOf = config,
  } = {},
): string[] {
  const actions: string[] = [];
  const limits = { ...newLimitState(limitsOf, () => 0.5), ...state };
  const stream = { close: () => actions.push("reset") };
  const connection = {
    session: { destroyed },
    socket: { bytesRead },
    calls: new Map(openCall ? [[1, { stream, since: openSince }]] : []),
    longLivedCalls: new Set(longLivedCall ? [stream] : []),
    limits,
    closeGracefully: (reason: string) => actions.push(reason),
    destroy: () => actions.push("destroy"),
  };
  enforceLimits(connection as unknown as Connection, limitsOf);
  return actions;
}

/** Bytes that a connection receives, and calls that it starts, between two sweeps. */
interface Traffic {
  bytes?: number;
  newCalls?: number;
}

/** Enforces the limits of a connection after each part of its traffic, and returns what happens to the connection. */
function actionsAfter(...traffic: Traffic[]): string[] {
  const actions: string[] = [];
  const connection = {
    session: {},
    socket: { bytesRead: 0 },
    calls: new Map(),
    longLivedCalls: new Set(),
    limits: newLimitState(config),
    destroy: () => actions.push("destroy"),
  };
  for (const { bytes = 0, newCalls = 0 } of traffic) {
    connection.socket.bytesRead += bytes;
    connection.limits.newCalls += newCalls;
    enforceLimits(connection as unknown as Connection, config);
  }
  return actions;
}

/** Returns the time a number of milliseconds ago. */
function ago(milliseconds: number): number {
  return performance.now() - milliseconds;
}

test("the maximum age of a connection has a jitter of a tenth", (t) => {
  const age = config.grpcMaxConnectionAge;
  t.is(newLimitState(config, () => 0).maxAgeMs, 0.9 * age);
  t.is(newLimitState(config, () => 0.5).maxAgeMs, age);
  t.is(Math.round(newLimitState(config, () => 1).maxAgeMs), Math.round(1.1 * age));
  const ages = new Set(Array.from({ length: 10 }, () => newLimitState(config).maxAgeMs));
  t.is(ages.size, 10);
});

test("connections that open together have different maximum ages", async (t) => {
  const { telemetry } = await collectTelemetry();
  const open = (): Connection => new Connection({} as ServerHttp2Session, new Socket(), { config, telemetry });
  const ages = new Set(Array.from({ length: 10 }, () => open().limits.maxAgeMs));
  t.is(ages.size, 10);
});

test("a connection within its limits stays open", (t) => {
  t.deepEqual(actionsOn({}), []);
  t.deepEqual(actionsOn({}, { openCall: true, longLivedCall: true, bytesRead: 2 ** 20 }), []);
});

test("a connection closes gracefully at its age, and at once when the grace period is over", (t) => {
  const { grpcMaxConnectionAge: age, grpcMaxConnectionAgeGrace: grace } = config;
  const idleSince = performance.now();
  t.deepEqual(actionsOn({ idleSince, openedAt: ago(age - MARGIN_MS) }), []);
  t.deepEqual(actionsOn({ idleSince, openedAt: ago(age + 1) }), ["age"]);
  t.deepEqual(actionsOn({ idleSince, openedAt: ago(age + grace - MARGIN_MS) }), ["age"]);
  t.deepEqual(actionsOn({ idleSince, openedAt: ago(age + grace + 1) }), ["age", "destroy"]);
  // The jitter counts.
  t.deepEqual(actionsOn({ idleSince, openedAt: ago(age + 1), maxAgeMs: 1.1 * age }), []);
});

test("a connection without an open call closes gracefully at its idle time", (t) => {
  const idle = config.grpcMaxConnectionIdle;
  t.deepEqual(actionsOn({ idleSince: ago(idle - MARGIN_MS) }), []);
  t.deepEqual(actionsOn({ idleSince: ago(idle + 1) }), ["idle"]);
  t.deepEqual(actionsOn({ idleSince: ago(idle + 1) }, { openCall: true }), []);
  t.deepEqual(actionsOn({ idleSince: ago(idle + 1) }, { longLivedCall: true }), []);
});

test("a connection whose handshake takes too long is closed at once", (t) => {
  const limitsOf = { ...config, handshakeTimeout: 300_000 };
  t.deepEqual(actionsOn({ openedAt: ago(300_000 - MARGIN_MS) }, { limitsOf }), []);
  t.deepEqual(actionsOn({ openedAt: ago(300_001) }, { limitsOf }), ["destroy"]);
  t.deepEqual(actionsOn({ openedAt: ago(300_001), acknowledged: true }, { limitsOf }), []);
});

test("a call that is open long after the maximum deadline is reset, except a long-lived one", (t) => {
  const limitsOf = { ...config, grpcMaxTimeout: 300_000 };
  t.deepEqual(actionsOn({}, { limitsOf, openCall: true, openSince: ago(300_001) }), []);
  t.deepEqual(actionsOn({}, { limitsOf, openCall: true, openSince: ago(301_001) }), ["reset"]);
  t.deepEqual(actionsOn({ openedAt: ago(301_001) }, { limitsOf, longLivedCall: true }), []);
});

test("a limit of 0 is none", (t) => {
  const limitsOf = testConfig({ handshakeTimeout: 0, grpcMaxConnectionAge: 0, grpcMaxConnectionIdle: 0 });
  const longAgo = ago(10 * 365 * 24 * 3_600_000);
  t.deepEqual(actionsOn({ openedAt: longAgo, idleSince: longAgo }, { limitsOf }), []);
});

test("the connection of a destroyed session is closed at once", (t) => {
  t.deepEqual(actionsOn({}, { destroyed: true }), ["destroy"]);
});

test("a connection that sends far more bytes than its calls need is closed at once", (t) => {
  const { creditBytes } = newLimitState(config);
  t.deepEqual(actionsOn({}, { bytesRead: creditBytes }), []);
  t.deepEqual(actionsOn({}, { bytesRead: creditBytes + 2 ** 20 }), ["destroy"]);
  t.deepEqual(actionsOn({ newCalls: 100 }, { bytesRead: creditBytes + 2 ** 20 }), []);
  // Only new bytes count.
  t.deepEqual(actionsOn({ bytesRead: 2 ** 30 }, { bytesRead: 2 ** 30 }), []);
});

test("the bytes of a connection are charged once", (t) => {
  const { creditBytes } = newLimitState(config);
  t.deepEqual(actionsAfter({ bytes: creditBytes / 2 }, ...Array.from({ length: 10 }, () => ({}))), []);
});

test("a call earns credit for bytes once", (t) => {
  const { creditBytes } = newLimitState(config);
  t.deepEqual(actionsAfter({ newCalls: 100 }, { bytes: creditBytes + 2 ** 20 }), ["destroy"]);
});

test("an idle connection accumulates no more than the maximum credit for bytes", (t) => {
  const { creditBytes } = newLimitState(config);
  const idle = Array.from({ length: 100 }, () => ({}));
  t.deepEqual(actionsAfter(...idle, { bytes: creditBytes }), []);
  t.deepEqual(actionsAfter(...idle, { bytes: creditBytes + 2 ** 20 }), ["destroy"]);
});
