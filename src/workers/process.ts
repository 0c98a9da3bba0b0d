import { fork } from "node:child_process";
import type { Socket } from "node:net";
import { InvalidArgumentError } from "../greeter.ts";
import type { MetricSnapshot } from "../telemetry/metrics.ts";
import type { WorkerEnd } from "../telemetry/workers.ts";
import { WORKER_VARIABLE } from "./messages.ts";
import type { ToPrimary, ToWorker } from "./messages.ts";
import { relayLines } from "./relay.ts";

/** What became of a connection that a worker was offered: one that it has not taken is still the primary's. */
type OfferOutcome = "taken" | "refused" | "undelivered";

/** A worker, to the primary process. */
export interface WorkerProcess {
  readonly worker: number;
  readonly pid: number;
  /**
   * Resolves when it serves.
   * @throws {InvalidArgumentError} a setting is wrong
   * @throws {Error} it ended before
   */
  started: Promise<void>;
  /** Resolves when it has begun to end. */
  leaving: Promise<void>;
  /** Resolves when it has ended, and all that it wrote is out. */
  ended: Promise<WorkerEnd>;
  /** How many requests and calls it says that it has cut off in the end; undefined where it did not get to say so. */
  readonly cut: number | undefined;
  /** The metrics as they were last heard of. */
  readonly metrics: MetricSnapshot[];
  /** Asks for the metrics, and resolves with whether they came in time. */
  readMetrics(): Promise<boolean>;
  /** Offers it a connection, and resolves with what became of it. One of a protocol at a time. */
  offer(protocol: string, socket: Socket): Promise<OfferOutcome>;
  stop(reason: string): void;
  /** Tells it that it is offered no connection any more: until then it waits for some, though it is told to stop. */
  endOffers(): void;
  setLogLevel(level: string): void;
  kill(): void;
}

/** How long a worker may take to tell its metrics, in milliseconds: less than from one heartbeat to the next. */
const PATIENCE = 900;

/**
 * Starts this program again, as a worker.
 * @param env beside the environment of this process
 * @param output takes its log
 * @throws {Error} the system has no more processes or file descriptors
 */
export function startWorker(
  worker: number,
  env: NodeJS.ProcessEnv,
  output: { write(lines: string): unknown },
): WorkerProcess {
  const child = fork(process.argv[1]!, process.argv.slice(2), {
    env: { ...process.env, ...env, [WORKER_VARIABLE]: String(worker) },
    // What it writes comes here.
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    // Numbers of metrics may be infinite, which JSON does not know.
    serialization: "advanced",
  });
  // It may be gone before it has heard: its end tells that.
  child.on("error", () => {});
  const { pid, stdout } = child;
  if (pid === undefined || !stdout) throw new Error(`Cannot start worker ${worker}: no process is to be had`);
  relayLines(stdout, output);

  const started = Promise.withResolvers<void>();
  const leaving = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<WorkerEnd>();
  const readings = new Map<number, (answered: boolean) => void>();
  let asked = 0;
  /** By protocol, with the number of the first reading that is asked for after it. */
  const offers = new Map<string, { before: number; settle: (outcome: OfferOutcome) => void }>();
  const state = { cut: undefined as number | undefined, metrics: [] as MetricSnapshot[] };

  child.on("message", (message: ToPrimary) => {
    if (message.type === "serving") started.resolve();
    if (message.type === "failed") started.reject(new (message.usage ? InvalidArgumentError : Error)(message.message));
    if (message.type === "connection") offers.get(message.protocol)?.settle(message.taken ? "taken" : "refused");
    if (message.type === "draining") leaving.resolve();
    if (message.type === "ended") state.cut = message.cut;
    if ("metrics" in message) state.metrics = message.metrics;
    if (message.type === "metrics") {
      // What is sent arrives in order. But a socket does not that the worker has no file descriptor for.
      for (const { before, settle } of offers.values()) if (before <= message.id) settle("undelivered");
      readings.get(message.id)?.(true);
    }
  });
  child.once("close", (code, signal) => {
    started.reject(new Error(`Cannot start worker ${worker}: it ended with ${signal ?? `exit code ${code}`}`));
    leaving.resolve();
    for (const { settle } of offers.values()) settle("refused");
    for (const settle of readings.values()) settle(false);
    ended.resolve({ worker, pid, code, signal });
  });

  const send = (message: ToWorker, socket?: Socket): void => {
    if (child.connected) child.send(message, socket, { keepOpen: true });
  };
  return Object.assign(state, {
    worker,
    pid,
    started: started.promise,
    leaving: leaving.promise,
    ended: ended.promise,
    readMetrics: () =>
      new Promise<boolean>((resolve) => {
        const id = asked++;
        const settle = (answered: boolean): void => {
          clearTimeout(late);
          readings.delete(id);
          resolve(answered);
        };
        const late = setTimeout(settle, PATIENCE, false).unref();
        readings.set(id, settle);
        send({ type: "read-metrics", id });
      }),
    offer: (protocol: string, socket: Socket) =>
      new Promise<OfferOutcome>((resolve) => {
        if (!child.connected) return resolve("refused");
        const settle = (outcome: OfferOutcome): void => {
          offers.delete(protocol);
          resolve(outcome);
        };
        offers.set(protocol, { before: asked, settle });
        send({ type: "connection", protocol }, socket);
      }),
    stop: (reason: string) => send({ type: "stop", reason }),
    endOffers: () => send({ type: "no-more-connections" }),
    setLogLevel: (level: string) => send({ type: "log-level", level }),
    kill: () => void child.kill("SIGKILL"),
  });
}
