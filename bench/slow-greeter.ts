import { setTimeout as sleep } from "node:timers/promises";
import { createGreeter as createFastGreeter } from "../src/greeter/greeter.ts";
import type { Greeter } from "../src/greeter/greeter.ts";

export * from "../src/greeter/greeter.ts";

/** How long a greeting waits, in milliseconds. */
export const WAIT = 50;

/** The greeter, behind something slow that can do any number of things at a time. */
export function createGreeter(options: Parameters<typeof createFastGreeter>[0]): Greeter {
  const greeter = createFastGreeter(options);
  return {
    greet: async (name) => {
      await sleep(WAIT);
      return greeter.greet(name);
    },
    version: () => greeter.version(),
  };
}
