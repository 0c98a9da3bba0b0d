import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./ask.ts";
import type { Scenario } from "./subjects.ts";

/**
 * Sends requests until the response is the scenario's.
 * @throws {Error} there was no such response within 20 s
 */
export async function untilAnswered(scenario: Scenario, port: number): Promise<void> {
  const end = performance.now() + 20_000;
  for (;;) {
    try {
      return await ask(scenario, port);
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await sleep(1);
  }
}
