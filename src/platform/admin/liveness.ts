/** Liveness of the process. */
export type Liveness = ReturnType<typeof watchEventLoop>;

/** Watches the event loop with a timer, which is late by the time that the loop was busy. */
export function watchEventLoop({
  /** Interval of the timer. */
  intervalMs = 20,
  /** Minimum stall of the event loop that makes the process fail its liveness probe. */
  stallMs = 5000,
  /**
   * Time for which the probe then fails. A stalled loop answers no probe, and afterwards this fails at most one of Kubernetes' probes,
   * ten seconds apart. Three failures restart a pod, so a single stall of less than ten seconds does not.
   */
  failurePeriodMs = 8000,
  /** Called with each delay, in seconds. */
  onDelay = (_seconds: number): void => {},
} = {}) {
  let last = performance.now();
  let stall = { end: -Infinity, duration: 0 };
  // Timers run before sockets are read, so a probe that waited for the loop sees the stall.
  const timer = setInterval(() => {
    const now = performance.now();
    // Includes the interval, because the loop may have been busy for all of it.
    const duration = now - last;
    onDelay(Math.max(0, duration - intervalMs) / 1000);
    if (duration >= stallMs) stall = { end: now, duration };
    last = now;
  }, intervalMs);
  timer.unref();

  return {
    /** Returns why the process should be restarted; undefined if it is alive. */
    problem: (): string | undefined => {
      if (performance.now() - stall.end > failurePeriodMs) return undefined;
      return `The event loop was blocked for ${(stall.duration / 1000).toFixed(1)} s`;
    },
    /** Stops watching. */
    stop: (): void => clearInterval(timer),
  };
}
