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
  // No end is asked for, and none is needed.
  [undefined, Infinity, undefined],
  ["1H", Infinity, "1H"],
  ["597H", Infinity, "596H"],
  ["99999999H", Infinity, "596H"],
  // What is malformed is refused elsewhere.
  ["soon", 30_000, "soon"],
  ["100000000m", 30_000, "100000000m"],
  ["-1S", 30_000, "-1S"],
] as const;
for (const [asked, maxMs, timeout] of cases) {
  test(`a call that asks for ${asked} where ${maxMs} ms is the most gets ${timeout}`, (t) => {
    t.is(boundedTimeout(asked, maxMs), timeout);
  });
}
