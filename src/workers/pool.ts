import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../lifecycle.ts";
import { counted, merge } from "../telemetry/merge.ts";
import type { MetricSnapshot } from "../telemetry/metrics.ts";
import type { WorkersTelemetry } from "../telemetry/workers.ts";
import type { Distributor } from "./distributor.ts";
import type { WorkerProcess } from "./process.ts";

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
}

/** How often each is asked for its metrics, in milliseconds: so much is lost of what one counted that is killed. */
const HEARTBEAT = 1000;

/** How often in a row a worker may leave that unanswered: then it is stuck, and whatever it has would wait for ever. */
const UNANSWERED = 10;

/** How long to wait before a worker that ended at once is replaced, in milliseconds: twice as long each time, up to the longest. */
const [SHORTEST, LONGEST] = [100, 10_000];

/** How long workers that have cut off what was left may take to end, in milliseconds. */
const LAST = 1000;

/** Workers that share the ports. */
export function createPool({ count, startWorker, distributors, telemetry }: PoolOptions): Pool {
  const workers = new Set<WorkerProcess>();
  const serving = new Set<WorkerProcess>();
  /** How often in a row each that has started left it unanswered what its metrics are. */
  const unanswered = new Map<WorkerProcess, number>();
  const stopping = new AbortController();
  let stopReason: string | undefined;
  let logLevel: string | undefined;
  let gone: MetricSnapshot[] = [];
  let lost = 0;

  /** Starts one, and resolves when it serves. It has a successor as soon as it begins to end before it was told to. */
  const launch = async (number: number): Promise<void> => {
    const worker = startWorker(number);
    workers.add(worker);
    const bury = async (): Promise<void> => {
      const end = await worker.ended;
      workers.delete(worker);
      gone = merge([gone, counted(worker.metrics)]);
      serving.delete(worker);
      unanswered.delete(worker);
      if (stopReason === undefined) return telemetry.lost(end, serving.size);
      telemetry.ended(end, serving.size);
      lost += worker.cut ?? 1;
    };
    void bury();
    await worker.started;
    serving.add(worker);
    unanswered.set(worker, 0);
    for (const distributor of distributors) distributor.add(worker);
    telemetry.serving(number, worker.pid, serving.size);
    // What was said before it could hear.
    if (logLevel !== undefined) worker.setLogLevel(logLevel);
    if (stopReason !== undefined) worker.stop(stopReason);
    void succeed(worker);
  };
  const succeed = async (worker: WorkerProcess): Promise<void> => {
    const since = performance.now();
    await worker.leaving;
    // All leave together then: until the ports are closed, they still take what comes.
    if (stopReason !== undefined) return;
    serving.delete(worker);
    for (const distributor of distributors) distributor.remove(worker);
    await replace(worker.worker, performance.now() - since > LONGEST ? 0 : SHORTEST);
  };
  const replace = async (number: number, delay: number): Promise<void> => {
    await sleep(delay, undefined, { signal: stopping.signal }).catch(() => {});
    if (stopReason !== undefined) return;
    await launch(number).catch(() => replace(number, Math.min(LONGEST, Math.max(SHORTEST, delay * 2))));
  };
  const killAll = (): void => {
    for (const worker of workers) worker.kill();
  };
  const allEnded = async (): Promise<void> => {
    while (workers.size > 0) await Promise.all([...workers].map(({ ended }) => ended));
  };
  const check = async (worker: WorkerProcess): Promise<void> => {
    const before = unanswered.get(worker)!;
    const inVain = (await worker.readMetrics()) ? 0 : before + 1;
    if (!unanswered.has(worker)) return;
    unanswered.set(worker, inVain);
    if (inVain < UNANSWERED) return;
    telemetry.stuck(worker.worker, worker.pid);
    worker.kill();
  };
  const watch = setInterval(() => {
    for (const worker of unanswered.keys()) void check(worker);
  }, HEARTBEAT);

  const cut = async (): Promise<number> => {
    // Those that were told to stop have cut off what was left themselves, and say so now.
    if (stopReason !== undefined) await Promise.race([allEnded(), sleep(LAST, undefined, { ref: false })]);
    stopReason ??= "failed start";
    stopping.abort();
    clearInterval(watch);
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
      for (const worker of workers) worker.stop(reason);
    },
    drain: allEnded,
    cut,
    setLogLevel: (level) => {
      logLevel = level;
      for (const worker of workers) worker.setLogLevel(level);
    },
    readMetrics: async () => {
      await Promise.all(unanswered.keys().map((worker) => worker.readMetrics()));
      return [...[...workers].map(({ metrics }) => metrics), gone];
    },
  };
}
