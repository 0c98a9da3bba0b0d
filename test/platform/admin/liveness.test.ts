import test from "ava";
import type { ExecutionContext } from "ava";
import { watchEventLoop } from "../../../src/platform/admin/liveness.ts";
import type { Liveness } from "../../../src/platform/admin/liveness.ts";

const HOUR_MS = 3_600_000;

/** Blocks the event loop, as an endless computation does. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

interface Watched extends Liveness {
  /** Resolves with the next delay that is measured, in seconds. */
  nextDelay(): Promise<number>;
}

function watch(t: ExecutionContext, options: { stallMs: number; failurePeriodMs: number }): Watched {
  let resolve = (_delay: number): void => {};
  const liveness = watchEventLoop({ ...options, intervalMs: 10, onDelay: (delay) => resolve(delay) });
  // The timer that is watched does not keep the process running.
  const keepAlive = setInterval(() => {}, HOUR_MS);
  t.teardown(() => {
    liveness.stop();
    clearInterval(keepAlive);
  });
  return { ...liveness, nextDelay: () => new Promise((onDelay) => (resolve = onDelay)) };
}

test.serial("an event loop that is not blocked is alive", async (t) => {
  const liveness = watch(t, { stallMs: HOUR_MS, failurePeriodMs: HOUR_MS });
  t.is(liveness.problem(), undefined);
  for (let count = 0; count < 5; count++) t.true((await liveness.nextDelay()) >= 0);
  t.is(liveness.problem(), undefined);
});

test.serial("an event loop that was blocked fails the probe as soon as it can answer", async (t) => {
  const liveness = watch(t, { stallMs: 300, failurePeriodMs: HOUR_MS });
  block(400);
  t.true((await liveness.nextDelay()) >= 0.38);
  t.regex(liveness.problem() ?? "", /^The event loop was blocked for \d+\.\d s$/);
});

test.serial("the probe succeeds again after the failure period", async (t) => {
  const liveness = watch(t, { stallMs: 300, failurePeriodMs: 100 });
  block(400);
  do await liveness.nextDelay();
  while (liveness.problem() !== undefined);
  t.pass();
});

test.serial("a shorter pause of the event loop is no problem", async (t) => {
  const liveness = watch(t, { stallMs: HOUR_MS, failurePeriodMs: HOUR_MS });
  block(100);
  t.true((await liveness.nextDelay()) >= 0.08);
  t.is(liveness.problem(), undefined);
});
