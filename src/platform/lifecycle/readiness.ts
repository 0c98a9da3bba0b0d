/** Where the service is in its life. It only moves forward. */
export type Phase = "starting" | "serving" | "draining";

const phases: readonly Phase[] = ["starting", "serving", "draining"];

/** The one state that every health surface reads. */
export interface Readiness {
  readonly phase: Phase;
  /** Moves on to a later phase. */
  enter(phase: Phase): void;
  /**
   * Calls the listener after each change.
   * @returns what takes the listener off again
   */
  onChange(listener: () => void): () => void;
}

/** A service that is starting. */
export function createReadiness(): Readiness {
  let current: Phase = "starting";
  const listeners = new Set<() => void>();
  return {
    get phase() {
      return current;
    },
    enter: (phase) => {
      if (phases.indexOf(phase) <= phases.indexOf(current)) return;
      current = phase;
      for (const listener of listeners) listener();
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
