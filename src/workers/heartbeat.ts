import type { WorkerProcess } from "./process.ts";

/** Workers that are asked for their metrics now and then, which tells whether they are stuck. */
export interface Heartbeat {
  add(worker: WorkerProcess): void;
  /** @returns whether it was there */
  delete(worker: WorkerProcess): boolean;
  has(worker: WorkerProcess): boolean;
  /** Asks each, and resolves when all have answered or had time to. */
  ask(): Promise<void>;
  stop(): void;
}

/** How often each is asked for its metrics, in milliseconds: so much is lost of what one counted that is killed. */
const INTERVAL = 1000;

/** How often in a row a worker may leave that unanswered: then it is stuck, and whatever it has would wait for ever. */
const UNANSWERED = 10;

/** @param onStuck hears of a worker that does not answer any more */
export function createHeartbeat(onStuck: (worker: WorkerProcess) => void): Heartbeat {
  /** How often in a row each left it unanswered what its metrics are. */
  const unanswered = new Map<WorkerProcess, number>();
  const check = async (worker: WorkerProcess): Promise<void> => {
    const before = unanswered.get(worker)!;
    const inVain = (await worker.readMetrics()) ? 0 : before + 1;
    if (!unanswered.has(worker)) return;
    unanswered.set(worker, inVain);
    if (inVain >= UNANSWERED) onStuck(worker);
  };
  const watch = setInterval(() => {
    for (const worker of unanswered.keys()) void check(worker);
  }, INTERVAL);
  return {
    add: (worker) => void unanswered.set(worker, 0),
    delete: (worker) => unanswered.delete(worker),
    has: (worker) => unanswered.has(worker),
    ask: async () => void (await Promise.all(unanswered.keys().map((worker) => worker.readMetrics()))),
    stop: () => clearInterval(watch),
  };
}
