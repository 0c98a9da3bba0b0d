import { setTimeout as sleep } from "node:timers/promises";
import type { ShutdownRequest } from "./shutdown.ts";

/** A server on a port. */
export interface Server {
  protocol: string;
  /** Binds the port, and returns the address. */
  start: () => Promise<string>;
  /** Accepts nothing new, and resolves when everything in flight has ended. */
  drain: () => Promise<void>;
  /** Closes everything at once, and resolves with the number of requests or calls that it cut off. */
  cut: () => Promise<number>;
}

/** Part of the drain timeout that is reserved for exporting telemetry, in milliseconds; at most a quarter of the timeout. */
const EXPORT_RESERVE_MS = 1000;

/** Servers of a process, and the steps of its drain. */
export interface Lifecycle {
  /** Started before the other servers, and stopped after them: they report readiness during the drain. */
  adminServers: Server[];
  servers: Server[];
  /** Time between becoming unready and closing the ports, in milliseconds: load balancers need it to react. */
  drainDelayMs: number;
  /** Time for requests in flight to finish after that, in milliseconds. */
  drainTimeoutMs: number;
  /** Called when every port is bound. */
  onServing: () => void;
  /** Called when the drain starts. New requests are still served. */
  onDraining: () => void;
  /** Exports the telemetry that is still queued; undefined if none is exported. */
  close?: (() => Promise<void>) | undefined;
  stop: ShutdownRequest;
  log: LifecycleLog;
}

export type LifecycleLog = Record<"info" | "warn" | "fatal", (fields: object, message: string) => void>;

/**
 * Starts the servers in order, serves until the process must stop, and drains.
 * @returns exit code: 0, or 1 if a request was cut off or an error was uncaught
 * @throws {Error} a server could not start; the earlier ones are stopped
 */
export async function run({ adminServers, servers, stop, log, ...life }: Lifecycle): Promise<number> {
  try {
    await start([...adminServers, ...servers], log);
    // Stopped before it was ready: no load balancer has to react.
    const drainDelayMs = stop.requested ? 0 : life.drainDelayMs;
    if (!stop.requested) {
      log.info({}, "Serving");
      life.onServing();
      await stop.request;
    }
    life.onDraining();
    log.info({ reason: stop.reason, delay_ms: drainDelayMs }, "Draining: not ready, still serving");
    await sleep(drainDelayMs);
    log.info({ timeout_ms: life.drainTimeoutMs }, "Closing: no new connections, finishing requests in flight");
    const reserveMs = life.close ? Math.min(EXPORT_RESERVE_MS, life.drainTimeoutMs / 4) : 0;
    const deadline = sleep(life.drainTimeoutMs, undefined, { ref: false });
    const cutting = sleep(life.drainTimeoutMs - reserveMs, undefined, { ref: false });
    const counts = await Promise.all(servers.map((server) => close(server, cutting, log)));
    if (life.close && !(await inTime(life.close(), deadline))) {
      log.warn({}, "Telemetry not exported: the drain timeout passed");
    }
    await Promise.all(adminServers.map((server) => server.cut()));

    const cut = counts.reduce((sum, count) => sum + count, 0);
    const code = stop.failed || cut > 0 ? 1 : 0;
    log.info({ reason: stop.reason, cut, code }, "Stopped");
    return code;
  } finally {
    stop.release();
  }
}

async function start(servers: Server[], log: LifecycleLog): Promise<void> {
  const started: Server[] = [];
  try {
    for (const server of servers) {
      const address = await server.start();
      started.push(server);
      log.info({ protocol: server.protocol, address }, "Listening");
    }
  } catch (error) {
    await Promise.all(started.map((server) => server.cut()));
    throw error;
  }
}

/** Drains a server until the deadline, then cuts off the rest, and returns how many. */
async function close(server: Server, deadline: Promise<void>, log: LifecycleLog): Promise<number> {
  const { protocol } = server;
  const drained = await inTime(server.drain(), deadline);
  const cut = await server.cut();
  if (drained) log.info({ protocol }, "Closed");
  else log.warn({ protocol, cut }, "Closed: the drain timeout passed, requests in flight were cut off");
  return cut;
}

/** Returns whether the work is done before the deadline. */
function inTime(work: Promise<void>, deadline: Promise<void>): Promise<boolean> {
  return Promise.race([work.then(() => true), deadline.then(() => false)]);
}
