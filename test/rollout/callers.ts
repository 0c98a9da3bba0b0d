import { setTimeout as sleep } from "node:timers/promises";

/** A steady load, and its results so far. */
export interface Load {
  /** Number of correct responses, by the kind of caller. */
  answered: Record<string, number>;
  /** Every error and every wrong response. */
  failures: string[];
  /** Stops the callers. Resolves when the last call has ended. */
  stop(): Promise<void>;
}

/** Callers of a load. */
export interface Callers extends Load {
  /** Aborts when the load stops. */
  signal: AbortSignal;
  /** Calls until the load stops, each time with another name to greet. */
  repeat: (kind: string, call: (name: string) => Promise<string>) => void;
  /** Adds a caller with a loop of its own, which ends when the signal aborts. */
  add: (caller: Promise<unknown>) => void;
  /** Adds a function that is called after all callers have ended. */
  closeAfter: (close: () => void) => void;
}

/** Pause of a caller between two calls, in milliseconds. */
const CALL_INTERVAL_MS = 2;

/** Creates callers that ask for greetings and check every response. */
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
      await sleep(CALL_INTERVAL_MS);
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
