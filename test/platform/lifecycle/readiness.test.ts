import test from "ava";
import { createReadiness } from "../../../src/platform/lifecycle/readiness.ts";

test("a service starts, serves and drains, and each change is reported once", (t) => {
  const readiness = createReadiness();
  const phases = [readiness.phase];
  readiness.onChange(() => phases.push(readiness.phase));
  for (const phase of ["serving", "serving", "draining", "draining"] as const) readiness.enter(phase);
  t.deepEqual(phases, ["starting", "serving", "draining"]);
});

test("an earlier phase is ignored", (t) => {
  const readiness = createReadiness();
  readiness.enter("draining");
  readiness.enter("serving");
  t.is(readiness.phase, "draining");
});

test("a removed listener is not called", (t) => {
  const readiness = createReadiness();
  const remove = readiness.onChange(() => t.fail());
  remove();
  readiness.enter("serving");
  t.pass();
});
