import { OverloadedError } from "../../greeter/greeter.ts";

/** How much the service works on at a time, over all protocols together. */
export interface Admission {
  /** Whether one more would be too many. */
  readonly full: boolean;
  /**
   * A piece of work begins; it counts as in flight until {@link leave} is called. What goes before and after it does not, such as
   * waiting for a slow caller: or a few of those could keep all others out.
   * @throws {OverloadedError} it would be one too many
   */
  enter: () => void;
  leave: () => void;
}

/**
 * Load shedding by a limit on what is in flight: what is beyond it is refused at once, so that what was taken in is not slowed down
 * until nobody waits for it any more (https://sre.google/sre-book/handling-overload/).
 * @param limit how many may be in flight
 */
export function createAdmission(limit: number): Admission {
  let inFlight = 0;
  return {
    get full() {
      return inFlight >= limit;
    },
    enter: () => {
      if (inFlight >= limit) throw new OverloadedError("Overloaded: too much is in flight");
      inFlight++;
    },
    leave: () => {
      inFlight--;
    },
  };
}
