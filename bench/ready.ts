import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./ask.ts";
import type { Scenario } from "./subjects.ts";

/** Asks again and again until the answer is the scenario's. @throws {Error} it was not within 20 s */
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
