import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { watchEventLoop } from "../../../src/platform/admin/liveness.ts";

/** Holds the event loop, as a runaway computation does. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

test.serial("a loop that works through its events is alive", async (t) => {
  const liveness = watchEventLoop({ interval: 10, stuck: 300, memory: 1000 });
  t.teardown(() => liveness.stop());
  await sleep(50);
  t.is(liveness.problem(), undefined);
});

test.serial("a loop that was stuck is reported as soon as it can answer, and for a while", async (t) => {
  const liveness = watchEventLoop({ interval: 10, stuck: 300, memory: 400 });
  t.teardown(() => liveness.stop());
  block(400);
  await sleep(1);
  t.regex(liveness.problem() ?? "", /^The event loop was stuck for 0\.\d s$/);
  while (liveness.problem() !== undefined) await sleep(10);
  t.pass();
});

test.serial("a pause that is shorter than that is no problem", async (t) => {
  const liveness = watchEventLoop({ interval: 10, stuck: 1000, memory: 1000 });
  t.teardown(() => liveness.stop());
  block(100);
  await sleep(1);
  t.is(liveness.problem(), undefined);
});
