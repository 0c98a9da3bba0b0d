import type { MetricSnapshot } from "../telemetry/metrics.ts";

/** The variable that tells a process which worker it is, from 1 on. */
export const WORKER_VARIABLE = "GREETER_WORKER";

/** What the primary process tells a worker. */
export type ToWorker =
  /** With the connection's socket. */
  | { type: "connection"; protocol: string }
  | { type: "stop"; reason: string }
  /** It is given no connection any more. */
  | { type: "no-more-connections" }
  | { type: "log-level"; level: string }
  | { type: "read-metrics"; id: number };

/** What a worker tells the primary process. */
export type ToPrimary =
  /** It could not start; `usage` where a setting is what was wrong. */
  | { type: "failed"; message: string; usage: boolean }
  | { type: "serving" }
  /** What became of the protocol's last connection: one that was not taken is still the primary's. */
  | { type: "connection"; protocol: string; taken: boolean }
  | { type: "metrics"; id: number; metrics: MetricSnapshot[] }
  /** It is going to end: for an error, or because it was told to. */
  | { type: "draining" }
  /** The last that is heard of it. */
  | { type: "ended"; cut: number; metrics: MetricSnapshot[] };
