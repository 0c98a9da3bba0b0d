/** How much the service takes on at a time, over all protocols together. */
export interface Admission {
  /**
   * Takes one more in.
   * @returns false where that would be too many; true is to be followed by {@link leave}
   */
  enter(): boolean;
  /** One that was taken in has ended. */
  leave(): void;
}

/**
 * Load shedding by a limit on what is in flight: what is beyond it is refused at once, so that what was taken in is not slowed down
 * until nobody waits for it any more (https://sre.google/sre-book/handling-overload/).
 * @param limit how many may be in flight
 */
export function createAdmission(limit: number): Admission {
  let inFlight = 0;
  return {
    enter: () => {
      if (inFlight >= limit) return false;
      inFlight++;
      return true;
    },
    leave: () => {
      inFlight--;
    },
  };
}
