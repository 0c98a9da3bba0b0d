import { setTimeout as sleep } from "node:timers/promises";

/** Something that listens on a port. */
export interface Server {
  protocol: string;
  /** Binds the port, and tells the address, if it is its own to tell. */
  start: () => Promise<string | undefined>;
  /** Takes nothing new, and resolves when everything in flight has ended. */
  drain: () => Promise<void>;
  /**
   * Ends what is left, at once.
   * @returns how many calls or requests that cut off, when they are closed
   */
  cut: () => Promise<number>;
}

/** How much of the drain timeout is kept for telling what was cut off, in milliseconds; of a short one, a quarter. */
const RESERVE = 1000;

/** A process that serves, from its start to its end. */
export interface Lifecycle {
  /** They tell how the others are: started before them, stopped after them. */
  observers: Server[];
  servers: Server[];
  /** How long to go on serving after readiness has flipped, in milliseconds: load balancers need time to notice. */
  drainDelayMs: number;
  /** How long what is in flight may then take to end, in milliseconds. */
  drainTimeoutMs: number;
  /** Hears that every port is bound. */
  onServing: () => void;
  /** Hears that the process is to stop; new calls are still served. */
  onDraining: () => void;
  /** Sends what is still to be told of it all; undefined where there is nobody to tell. */
  close?: (() => Promise<void>) | undefined;
  stop: StopRequest;
  log: LifecycleLog;
}

/** Tells whether and why the process is to stop. */
export interface StopRequest {
  /** Resolves when the process is to stop. */
  readonly request: Promise<void>;
  readonly requested: boolean;
  /** The signal's name, or where the error came from. */
  readonly reason: string;
  /** Something went wrong meanwhile, as an error that went uncaught. */
  readonly failed: boolean;
  /** Stops listening. */
  release: () => void;
}

/** How it went. */
export interface Outcome {
  /** The exit code: 0 when everything in flight ended by itself, 1 when some was cut off or something went wrong. */
  code: number;
  /** How many calls or requests were cut off. */
  cut: number;
}

/** Where each step is told. */
export interface LifecycleLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
}

/**
 * Starts the servers in order, serves until the process is told to stop, and drains.
 * @throws {Error} a server could not start; those before it are stopped
 */
export async function run({ observers, servers, stop, log, ...life }: Lifecycle): Promise<Outcome> {
  try {
    await start([...observers, ...servers], log);
    // Told to stop before anybody could have heard that it serves: nobody needs time to notice.
    const drainDelayMs = stop.requested ? 0 : life.drainDelayMs;
    if (!stop.requested) {
      log.info({}, "Serving");
      life.onServing();
      await stop.request;
    }
    life.onDraining();
    log.info({ reason: stop.reason, delay_ms: drainDelayMs }, "Draining: not ready any more, still serving");
    await sleep(drainDelayMs);
    log.info({ timeout_ms: life.drainTimeoutMs }, "Closing: taking nothing new, finishing what is in flight");
    const reserveMs = life.close ? Math.min(RESERVE, life.drainTimeoutMs / 4) : 0;
    const deadline = sleep(life.drainTimeoutMs, undefined, { ref: false });
    const cutting = sleep(life.drainTimeoutMs - reserveMs, undefined, { ref: false });
    const counts = await Promise.all(servers.map((server) => close(server, cutting, log)));
    if (life.close && !(await inTime(life.close(), deadline))) {
      log.warn({}, "The last telemetry was not delivered: the drain timeout passed");
    }
    await Promise.all(observers.map((observer) => observer.cut()));

    const cut = counts.reduce((sum, count) => sum + count, 0);
    const code = stop.failed || cut > 0 ? 1 : 0;
    log.info({ reason: stop.reason, cut, code }, "Stopped");
    return { code, cut };
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
      if (address !== undefined) log.info({ protocol: server.protocol, address }, "Listening");
    }
  } catch (error) {
    await Promise.all(started.map((server) => server.cut()));
    throw error;
  }
}

/** Drains a server until the deadline, then cuts off the rest and tells how many that were. */
async function close(server: Server, deadline: Promise<void>, log: LifecycleLog): Promise<number> {
  const { protocol } = server;
  const drained = await inTime(server.drain(), deadline);
  const cut = await server.cut();
  if (drained) log.info({ protocol }, "Closed");
  else log.warn({ protocol, cut }, "Closed: the drain timeout passed, and what was left was cut off");
  return cut;
}

/** Whether something is done before the deadline. */
function inTime(work: Promise<void>, deadline: Promise<void>): Promise<boolean> {
  return Promise.race([work.then(() => true), deadline.then(() => false)]);
}
