import { ServiceError } from "../errors.ts";

/** Limit on the requests and calls in flight, over all protocols together. */
export type Admission = ReturnType<typeof createAdmission>;

/** Creates the error of a request that is rejected at the limit. */
export function overloaded(): ServiceError {
  return new ServiceError("UNAVAILABLE", "Overloaded: too many requests are in flight", { retryAfterMs: 1000 });
}

/**
 * Creates the load shedding of the service: requests beyond the limit are rejected at once, so that the admitted ones stay fast
 * (https://sre.google/sre-book/handling-overload/).
 * @param limit maximum number in flight
 */
export function createAdmission(limit: number) {
  let inFlight = 0;
  return {
    /** Whether the limit is reached. */
    get full(): boolean {
      return inFlight >= limit;
    },
    /**
     * Takes a slot. Only the work of a handler holds one: if waiting for a slow reader did, a few slow readers would lock everyone out.
     * @returns releases the slot; later calls do nothing
     * @throws {ServiceError} UNAVAILABLE: the limit is reached
     */
    enter: (): (() => void) => {
      if (inFlight >= limit) throw overloaded();
      inFlight++;
      let held = true;
      return () => {
        if (held) inFlight--;
        held = false;
      };
    },
  };
}
