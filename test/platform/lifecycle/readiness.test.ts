import test from "ava";
import { createReadiness } from "../../../src/platform/lifecycle/readiness.ts";

test("starts, serves and drains, and tells each change once", (t) => {
  const readiness = createReadiness();
  const phases = [readiness.phase];
  readiness.onChange(() => phases.push(readiness.phase));
  for (const phase of ["serving", "serving", "draining", "draining"] as const) readiness.enter(phase);
  t.deepEqual(phases, ["starting", "serving", "draining"]);
});

test("never goes back", (t) => {
  const readiness = createReadiness();
  readiness.enter("draining");
  readiness.enter("serving");
  t.is(readiness.phase, "draining");
});

test("a listener that was taken off hears nothing", (t) => {
  const readiness = createReadiness();
  const unsubscribe = readiness.onChange(() => t.fail());
  unsubscribe();
  readiness.enter("serving");
  t.pass();
});
