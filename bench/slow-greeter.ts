import { setTimeout as sleep } from "node:timers/promises";
import { createGreeter as createFastGreeter } from "../src/greeter/greeter.ts";
import type { Greeter } from "../src/greeter/greeter.ts";

export * from "../src/greeter/greeter.ts";

/** Time that a greeting waits, in milliseconds. */
export const WAIT = 50;

/** Creates a greeter that waits for a dependency without a limit on concurrent requests. */
export function createGreeter(...options: Parameters<typeof createFastGreeter>): Greeter {
  const greeter = createFastGreeter(...options);
  return {
    ...greeter,
    greet: async (name, context) => {
      await sleep(WAIT);
      return greeter.greet(name, context);
    },
  };
}
