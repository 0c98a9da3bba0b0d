import { setTimeout as sleep } from "node:timers/promises";

/** What steady callers have seen so far. */
export interface Load {
  /** How many calls were answered, by the kind of caller. */
  answered: Record<string, number>;
  /** What went wrong: nothing should. */
  failures: string[];
  /** Resolves when the last call has ended. */
  stop(): Promise<void>;
}

/** Those who call all the time, and what ends with them. */
export interface Callers extends Load {
  signal: AbortSignal;
  /** Calls again and again, each time with another name to greet. */
  repeat: (kind: string, call: (name: string) => Promise<string>) => void;
  /** Does something else until it is told to stop. */
  add: (caller: Promise<unknown>) => void;
  /** Closes something when all have ended. */
  closeAfter: (close: () => void) => void;
}

/** How long each caller rests between two calls, in milliseconds. */
const PAUSE = 2;

/** Callers who ask for greetings, and hold what comes against what should. */
export function steadyCallers(): Callers {
  const answered: Record<string, number> = {};
  const failures: string[] = [];
  const stopping = new AbortController();
  const callers: Promise<unknown>[] = [];
  const closers: (() => void)[] = [];

  const repeat = async (kind: string, call: (name: string) => Promise<string>): Promise<void> => {
    answered[kind] ??= 0;
    while (!stopping.signal.aborted) {
      const name = `${kind} ${answered[kind]}`;
      try {
        const message = await call(name);
        if (message === `Hello, ${name}!`) answered[kind] += 1;
        else failures.push(`${kind}: ${message}`);
      } catch (error) {
        failures.push(`${kind}: ${String(error)}`);
      }
      await sleep(PAUSE);
    }
  };

  return {
    answered,
    failures,
    signal: stopping.signal,
    repeat: (kind, call) => void callers.push(repeat(kind, call)),
    add: (caller) => void callers.push(caller),
    closeAfter: (close) => void closers.push(close),
    stop: async () => {
      stopping.abort();
      await Promise.all(callers);
      for (const close of closers) close();
    },
  };
}
