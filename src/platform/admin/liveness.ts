/** Whether the process still works through its events. */
export interface Liveness {
  /** Why the process should be restarted; undefined while it is alive. */
  problem(): string | undefined;
  /** Stops watching. */
  stop(): void;
}

/** How often the event loop is looked at, in milliseconds. */
const INTERVAL = 20;

/** How long the event loop may be stuck, in milliseconds, before the process counts as dead. */
const STUCK = 5000;

/**
 * For how long it then counts as dead, in milliseconds. While the loop is stuck no probe is answered, and afterwards this fails at most
 * one of Kubernetes' probes, ten seconds apart. Three failures restart a pod: a loop that was stuck once, for less than ten seconds, is
 * left alone, and one that is stuck again and again is restarted.
 */
const MEMORY = 8000;

/**
 * Watches the event loop by a timer: it is late by as long as something else held the loop.
 * @param onDelay hears each time how late it was, in seconds
 */
export function watchEventLoop({
  interval = INTERVAL,
  stuck = STUCK,
  memory = MEMORY,
  onDelay = (_seconds: number): void => {},
} = {}): Liveness {
  let last = performance.now();
  let stall = { end: -Infinity, duration: 0 };
  // Timers run before requests are read, so that a probe that waited for the loop hears of what it waited for.
  const timer = setInterval(() => {
    const now = performance.now();
    // Not without the interval itself: what may have been stuck that long counts.
    const duration = now - last;
    onDelay(Math.max(0, duration - interval) / 1000);
    if (duration >= stuck) stall = { end: now, duration };
    last = now;
  }, interval);
  timer.unref();

  return {
    problem: () => {
      if (performance.now() - stall.end > memory) return undefined;
      return `The event loop was stuck for ${(stall.duration / 1000).toFixed(1)} s`;
    },
    stop: () => clearInterval(timer),
  };
}
