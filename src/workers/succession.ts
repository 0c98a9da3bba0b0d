import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerProcess } from "./process.ts";

export interface SuccessionOptions {
  /** Starts a worker with a number. */
  start: (number: number) => WorkerProcess;
  onServing: (worker: WorkerProcess) => void;
  /** Hears that one has begun to end. */
  onLeaving: (worker: WorkerProcess) => void;
  /** Hears that one that was to take another's place did not get to serve. */
  onFailed: (number: number, error: unknown) => void;
  /** From then on nobody is replaced. */
  stopped: AbortSignal;
}

/**
 * How long to wait before a worker is replaced, in milliseconds: twice as long each time, up to the longest, where one did not serve for as long
 * as that.
 */
const [SHORTEST, LONGEST] = [100, 10_000];

/** How long one may take until it serves, in milliseconds. */
const START = 60_000;

/** How long to wait the next time, after so long. */
function longer(delay: number): number {
  return Math.min(LONGEST, Math.max(SHORTEST, delay * 2));
}

/**
 * Starts workers each of which has a successor as soon as it begins to end, and that one too.
 * @returns starts one, and resolves when it serves
 * @throws {Error} the first one could not start
 */
export function createSuccession({
  start,
  onServing,
  onLeaving,
  onFailed,
  stopped,
}: SuccessionOptions): (number: number) => Promise<void> {
  /**
   * @param delay how long it was waited for
   * @param predecessor one that may not have ended yet
   */
  const launch = async (number: number, delay: number, predecessor?: WorkerProcess): Promise<void> => {
    const worker = start(number);
    const late = setTimeout(() => worker.kill(), START);
    try {
      await worker.started;
    } catch (error) {
      worker.kill();
      throw error;
    } finally {
      clearTimeout(late);
    }
    onServing(worker);
    void succeed(worker, delay, predecessor);
  };
  const succeed = async (worker: WorkerProcess, delay: number, predecessor?: WorkerProcess): Promise<void> => {
    const since = performance.now();
    await worker.leaving;
    // All leave together then: until the ports are closed, they still take what comes.
    if (stopped.aborted) return;
    onLeaving(worker);
    const lived = performance.now() - since;
    // One at a time may be ending: they take as long as a drain, and more would only be more memory.
    const ending =
      predecessor && (await Promise.race([worker.ended.then(() => predecessor), predecessor.ended.then(() => worker)]));
    await replace(worker.worker, lived > LONGEST ? 0 : longer(delay), ending ?? worker);
  };
  const replace = async (number: number, delay: number, predecessor: WorkerProcess): Promise<void> => {
    await sleep(delay, undefined, { signal: stopped }).catch(() => {});
    if (stopped.aborted) return;
    try {
      await launch(number, delay, predecessor);
    } catch (error) {
      if (!stopped.aborted) onFailed(number, error);
      void replace(number, longer(delay), predecessor);
    }
  };
  return (number) => launch(number, 0);
}
