const phases = ["starting", "serving", "draining"] as const;

/** Lifecycle phase. Transitions are one-way. */
export type Phase = (typeof phases)[number];

/** State that every health surface reads. */
export type Readiness = ReturnType<typeof createReadiness>;

/** Creates the readiness of a service that is starting. */
export function createReadiness() {
  let current: Phase = "starting";
  const listeners = new Set<() => void>();
  return {
    get phase(): Phase {
      return current;
    },
    /** Enters a later phase. An earlier one is ignored. */
    enter: (phase: Phase): void => {
      if (phases.indexOf(phase) <= phases.indexOf(current)) return;
      current = phase;
      for (const listener of listeners) listener();
    },
    /** Calls the listener after each change. Returns a function that removes it. */
    onChange: (listener: () => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
