import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../lifecycle.ts";
import { counted, merge } from "../telemetry/merge.ts";
import type { MetricSnapshot } from "../telemetry/metrics.ts";
import type { WorkersTelemetry } from "../telemetry/workers.ts";
import type { Distributor } from "./distributor.ts";
import { createHeartbeat } from "./heartbeat.ts";
import type { WorkerProcess } from "./process.ts";
import { createSuccession } from "./succession.ts";

/** Several workers, of which each that is lost is replaced. */
export interface Pool extends Server {
  /** How many serve. */
  readonly serving: number;
  /** Tells each to drain and end. */
  stop(reason: string): void;
  setLogLevel(level: string): void;
  /** The metrics of each that runs, and what those that are gone have counted. */
  readMetrics(): Promise<MetricSnapshot[][]>;
}

export interface PoolOptions {
  count: number;
  startWorker: (worker: number) => WorkerProcess;
  /** They give the workers their connections. */
  distributors: Distributor[];
  telemetry: WorkersTelemetry;
  /** Hears that one ended badly that was to end. */
  onFailed: () => void;
}

/** How long the connections that have come may take to be handed out in a drain, in milliseconds. */
const HANDING_OUT = 1000;

/** How long workers that have cut off what was left may take to end, in milliseconds. */
const LAST = 1000;

/** Resolves when something is done, or has taken so long, in milliseconds. */
async function within(work: Promise<unknown>, patience: number): Promise<void> {
  await Promise.race([work, sleep(patience, undefined, { ref: false })]);
}

/** Workers that share the ports. */
export function createPool({ count, startWorker, distributors, telemetry, onFailed }: PoolOptions): Pool {
  const workers = new Set<WorkerProcess>();
  const serving = new Set<WorkerProcess>();
  /** Those that have started and not ended. */
  const heartbeat = createHeartbeat((worker) => {
    telemetry.stuck(worker.worker, worker.pid);
    worker.kill();
  });
  const stopping = new AbortController();
  let stopReason: string | undefined;
  let logLevel: string | undefined;
  let gone: MetricSnapshot[] = [];
  let lost = 0;

  const leave = (worker: WorkerProcess): void => {
    serving.delete(worker);
    telemetry.count(serving.size);
  };
  const bury = async (worker: WorkerProcess): Promise<void> => {
    const end = await worker.ended;
    workers.delete(worker);
    gone = merge([gone, counted(worker.metrics)]);
    leave(worker);
    // Of one that never served, its start tells why.
    if (!heartbeat.delete(worker)) return;
    if (stopReason === undefined) return telemetry.lost(end);
    telemetry.ended(end);
    lost += worker.cut ?? 0;
    if (end.code !== 0) onFailed();
  };
  const launch = createSuccession({
    start: (number) => {
      const worker = startWorker(number);
      workers.add(worker);
      void bury(worker);
      return worker;
    },
    onServing: (worker) => {
      serving.add(worker);
      heartbeat.add(worker);
      telemetry.count(serving.size);
      for (const distributor of distributors) distributor.add(worker);
      telemetry.serving(worker.worker, worker.pid);
      // What was said before it could hear.
      if (logLevel !== undefined) worker.setLogLevel(logLevel);
    },
    onLeaving: (worker) => {
      leave(worker);
      for (const distributor of distributors) distributor.remove(worker);
      worker.endOffers();
    },
    onFailed: (number, error) => telemetry.failed(number, error),
    stopped: stopping.signal,
  });
  const killAll = (): void => {
    for (const worker of workers) worker.kill();
  };
  const allEnded = async (): Promise<void> => {
    while (workers.size > 0) await Promise.all([...workers].map(({ ended }) => ended));
  };
  const cut = async (): Promise<number> => {
    // Those that were told to stop have cut off what was left themselves, and say so now.
    if (stopReason !== undefined) await within(allEnded(), LAST);
    stopReason ??= "failed start";
    stopping.abort();
    heartbeat.stop();
    killAll();
    await allEnded();
    return lost;
  };

  return {
    protocol: "workers",
    get serving() {
      return serving.size;
    },
    start: async () => {
      process.once("exit", killAll);
      try {
        // The first one alone: what keeps it from starting would keep them all.
        await launch(1);
        await Promise.all(Array.from({ length: count - 1 }, (_, index) => launch(index + 2)));
      } catch (error) {
        await cut();
        throw error;
      }
      return undefined;
    },
    stop: (reason) => {
      stopReason = reason;
      stopping.abort();
      for (const worker of workers) {
        if (heartbeat.has(worker)) worker.stop(reason);
        // It has no connection yet, and may never hear.
        else worker.kill();
      }
    },
    drain: async () => {
      // A worker that is stuck, or short of file descriptors, may never take what it is offered; the others are not to wait for that.
      await within(Promise.all(distributors.map(({ drained }) => drained)), HANDING_OUT);
      for (const worker of workers) worker.endOffers();
      await allEnded();
    },
    cut,
    setLogLevel: (level) => {
      logLevel = level;
      for (const worker of workers) worker.setLogLevel(level);
    },
    readMetrics: async () => {
      await heartbeat.ask();
      return [...[...workers].map(({ metrics }) => metrics), gone];
    },
  };
}
