import { constants } from "node:os";
import type { LifecycleLog, StopRequest } from "./lifecycle.ts";

/** Something else than a signal that tells a process to stop. */
export interface Stopper {
  /** Calls the listener with the reason. */
  onStop(listener: (reason: string) => void): void;
}

/**
 * What ends a process: a signal, or an error that nobody caught. A second signal ends it at once.
 * @returns what the lifecycle waits for, and `fail`, which says that something else went wrong
 * @param primary tells a worker to stop, in place of signals: a terminal, and systemd, send those to all processes, and the primary decides
 */
export function stopRequest(log: LifecycleLog, primary?: Stopper): StopRequest & { fail: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = { request: promise, requested: false, reason: "", failed: false };
  const request = (reason: string): void => {
    if (!state.requested) Object.assign(state, { requested: true, reason });
    resolve();
  };
  const fail = (): void => void (state.failed = true);
  // A rejection that nobody handles arrives here too, with "unhandledRejection" as its origin.
  const onUncaught = (error: unknown, origin: string): void => {
    log.fatal({ err: error, origin }, "Uncaught error");
    fail();
    request(origin);
  };
  process.on("uncaughtException", onUncaught);
  let ignoreSignals = (): void => {};
  if (primary) primary.onStop(request);
  else ignoreSignals = hearSignals(request);
  const release = (): void => {
    process.off("uncaughtException", onUncaught);
    ignoreSignals();
  };
  return Object.assign(state, { fail, release });
}

/** From here on the lifecycle decides: until now a signal has ended the process at once. */
function hearSignals(request: (reason: string) => void): () => void {
  let signalled = false;
  const onSignal = (signal: "SIGINT" | "SIGTERM"): void => {
    if (signalled) process.exit(128 + constants.signals[signal]);
    signalled = true;
    request(signal);
  };
  // In this order, for Node drops a signal that it has received but not yet told, as during a long start, when the last listener goes.
  const earlier = (["SIGINT", "SIGTERM"] as const).flatMap((signal) =>
    process.listeners(signal).map((listener) => () => process.off(signal, listener)),
  );
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  for (const remove of earlier) remove();
  return () => process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
}
