import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

/** How a worker's process ended. */
export interface WorkerEnd {
  worker: number;
  pid: number;
  /** Null where a signal ended it. */
  code: number | null;
  signal: string | null;
}

/** Hears of the workers of a service that has several. */
export interface WorkersTelemetry {
  /** @param count how many serve now */
  serving(worker: number, pid: number, count: number): void;
  /** One ended unasked, and another takes its place. */
  lost(end: WorkerEnd, count: number): void;
  /** One ended as it was told to. */
  ended(end: WorkerEnd, count: number): void;
  /** One does not answer any more, and is killed. */
  stuck(worker: number, pid: number): void;
}

/** Tells of workers. */
export function workersTelemetry(metrics: Metrics, log: Log): WorkersTelemetry {
  const workers = metrics.gauge("greeter_workers", "Worker processes that serve, where there are several.");
  const losses = metrics.counter(
    "greeter_workers_lost_total",
    "Worker processes that ended unasked, and were replaced.",
  );
  return {
    serving: (worker, pid, count) => {
      workers.with().value = count;
      // It is there from the start, so that the first one is an increase.
      losses.with();
      log.info({ worker, pid }, "Worker serves");
    },
    lost: (end, count) => {
      workers.with().value = count;
      losses.with().value++;
      log.error(end, "Worker lost: another takes its place");
    },
    ended: (end, count) => {
      workers.with().value = count;
      log.info(end, "Worker ended");
    },
    stuck: (worker, pid) => log.error({ worker, pid }, "Worker does not answer any more, and is killed"),
  };
}
