import { constants } from "node:os";

/** Request to stop the process. */
export type ShutdownRequest = Readonly<ReturnType<typeof shutdownRequest>>;

/** Requests the shutdown on the first signal, and on an uncaught error. A second signal ends the process at once. */
export function shutdownRequest(log: { fatal(fields: object, message: string): void }) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const request = (reason: string): void => {
    if (!stop.requested) Object.assign(stop, { requested: true, reason });
    resolve();
  };
  // An unhandled rejection arrives here too, with the origin "unhandledRejection".
  const onUncaught = (error: unknown, origin: string): void => {
    log.fatal({ err: error, origin }, "Uncaught error");
    stop.failed = true;
    request(origin);
  };
  process.on("uncaughtException", onUncaught);
  const ignoreSignals = onSignals(request);
  const stop = {
    /** Resolves when the process must stop. */
    request: promise,
    requested: false,
    /** Name of the signal, or origin of the uncaught error. */
    reason: "",
    /** Whether an error was uncaught. */
    failed: false,
    /** Removes the listeners. */
    release: (): void => {
      process.off("uncaughtException", onUncaught);
      ignoreSignals();
    },
  };
  return stop;
}

/** Replaces the start-up signal handlers with the lifecycle's. */
function onSignals(request: (reason: string) => void): () => void {
  let signalled = false;
  const onSignal = (signal: "SIGINT" | "SIGTERM"): void => {
    if (signalled) process.exit(128 + constants.signals[signal]);
    signalled = true;
    request(signal);
  };
  // The new listeners first: when the last listener is removed, Node drops a signal that it has received but not emitted.
  const earlier = (["SIGINT", "SIGTERM"] as const).flatMap((signal) =>
    process.listeners(signal).map((listener) => () => process.off(signal, listener)),
  );
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  for (const remove of earlier) remove();
  return () => process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
}
