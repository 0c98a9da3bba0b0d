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
  /** How many serve now. */
  count(serving: number): void;
  /** One serves from now on. */
  serving(worker: number, pid: number): void;
  /** One ended unasked, and another takes its place. */
  lost(end: WorkerEnd): void;
  /** One that was to take another's place did not get to serve. */
  failed(worker: number, error: unknown): void;
  /** One ended as it was told to. */
  ended(end: WorkerEnd): void;
  /** One does not answer any more, and is killed. */
  stuck(worker: number, pid: number): void;
}

/** Tells of workers. */
export function workersTelemetry(metrics: Metrics, log: Log): WorkersTelemetry {
  const workers = metrics.gauge("greeter_workers", "Worker processes that serve, where there are several.");
  const losses = metrics.counter(
    "greeter_workers_lost_total",
    "Worker processes that served and ended unasked, and were replaced.",
  );
  return {
    count: (serving) => {
      workers.with().value = serving;
      // It is there from the start, so that the first one is an increase.
      losses.with();
    },
    serving: (worker, pid) => log.info({ worker, pid }, "Worker serves"),
    lost: (end) => {
      losses.with().value++;
      log.error(end, "Worker lost: another takes its place");
    },
    failed: (worker, error) => log.error({ worker, err: error }, "Cannot replace worker: will try again"),
    ended: (end) => log.info(end, "Worker ended"),
    stuck: (worker, pid) => log.error({ worker, pid }, "Worker does not answer any more, and is killed"),
  };
}
