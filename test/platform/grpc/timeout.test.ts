import test from "ava";
import { boundedTimeout } from "../../../src/platform/grpc/timeout.ts";

const cases = [
  [undefined, 30_000, "30000m"],
  ["5S", 30_000, "5S"],
  ["30S", 30_000, "30S"],
  ["31S", 30_000, "30000m"],
  ["1M", 30_000, "30000m"],
  ["99999999H", 30_000, "30000m"],
  ["0m", 30_000, "0m"],
  ["99999999n", 30_000, "99999999n"],
  [undefined, 1.2e9, "1200000S"],
  // A stream without a deadline may stay without one.
  [undefined, Infinity, undefined],
  ["1H", Infinity, "1H"],
  ["597H", Infinity, "596H"],
  ["99999999H", Infinity, "596H"],
  // grpc-js rejects a malformed timeout.
  ["soon", 30_000, "soon"],
  ["100000000m", 30_000, "100000000m"],
  ["-1S", 30_000, "-1S"],
] as const;
for (const [requested, maxMs, timeout] of cases) {
  test(`a call with the timeout ${requested} and a maximum of ${maxMs} ms gets ${timeout}`, (t) => {
    t.is(boundedTimeout(requested, maxMs), timeout);
  });
}
