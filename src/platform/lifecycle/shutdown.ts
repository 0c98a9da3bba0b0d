import { constants } from "node:os";
import type { LifecycleLog, StopRequest } from "./lifecycle.ts";

/**
 * What ends a process: a signal, or an error that nobody caught. A second signal ends it at once.
 */
export function stopRequest(log: LifecycleLog): StopRequest {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = { request: promise, requested: false, reason: "", failed: false };
  const request = (reason: string): void => {
    if (!state.requested) Object.assign(state, { requested: true, reason });
    resolve();
  };
  // A rejection that nobody handles arrives here too, with "unhandledRejection" as its origin.
  const onUncaught = (error: unknown, origin: string): void => {
    log.fatal({ err: error, origin }, "Uncaught error");
    state.failed = true;
    request(origin);
  };
  process.on("uncaughtException", onUncaught);
  const ignoreSignals = hearSignals(request);
  const release = (): void => {
    process.off("uncaughtException", onUncaught);
    ignoreSignals();
  };
  return Object.assign(state, { release });
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
