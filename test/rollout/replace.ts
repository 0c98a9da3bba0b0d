import type { ExecutionContext } from "ava";
import type { LoggingProcess } from "../process.ts";
import type { Load } from "./callers.ts";

/**
 * Replaces an instance several times under load, each time with a new one that serves before the old one drains, and asserts that every
 * drain is clean, that each kind of load goes on, and that nothing is lost.
 * @param old the instance that serves
 * @param start starts another, and resolves when it serves
 */
export async function replaceUnderLoad(
  t: ExecutionContext,
  { old, start, load, times }: { old: LoggingProcess; start: () => Promise<LoggingProcess>; load: Load; times: number },
): Promise<void> {
  for (let count = 0; count < times; count++) {
    const next = await start();
    const before = { ...load.answered };
    old.kill("SIGTERM");
    t.deepEqual(await old.ended, { code: 0, signal: null, err: "" });
    t.like(old.lines.at(-1), { msg: "Stopped", cut: 0, code: 0 });
    for (const [kind, answered] of Object.entries(load.answered)) t.true(answered > before[kind]!, `${kind} went on`);
    old = next;
  }
  await load.stop();
  t.deepEqual(load.failures, []);
  t.log(load.answered);
}
