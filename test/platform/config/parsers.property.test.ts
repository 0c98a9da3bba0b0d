import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { count, duration, size } from "../../../src/platform/config/parsers.ts";
import type { Parse } from "../../../src/platform/config/parsers.ts";
import { platformSettings } from "../../../src/platform/config/settings.ts";
import { isInvalidArgument } from "../../../src/platform/errors.ts";
import { assertParsesAnyText, MAX_TIMER_MS } from "./any-text.ts";

for (const setting of Object.values(platformSettings)) {
  test(`${setting.variable} parses any text to a value or to an error of one line`, (t) => {
    t.notThrows(() => assertParsesAnyText(setting));
  });
}

/** Asserts the result of a parser of numbers with units. */
function assertNumber(parse: Parse<number>, text: string, value: number, valid: boolean): void {
  if (valid) assert.equal(parse(text, "--x"), value);
  else assert.throws(() => parse(text, "--x"), isInvalidArgument);
}

/** Any amount, and the amounts on both sides of each limit. */
const limits = [9999, 999_999_999, ...[1, 1000, 60_000, 3_600_000].map((factor) => Math.floor(MAX_TIMER_MS / factor))];
const amount = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, ...limits, ...limits.map((limit) => limit + 1)));

test("a duration is an amount times its unit, up to the maximum of a timer", (t) => {
  const unit = fc.constantFrom(["ms", 1], ["s", 1000], ["m", 60_000], ["h", 3_600_000]);
  const property = fc.property(amount, unit, (amount, [unit, factor]) => {
    assertNumber(duration, `${amount}${unit}`, amount * factor, amount * factor <= MAX_TIMER_MS);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 400 }));
});

test("a size is an amount times its unit, up to 9999 units", (t) => {
  const unit = fc.constantFrom(["B", 1], ["KiB", 1024], ["MiB", 1_048_576]);
  const property = fc.property(amount, unit, (amount, [unit, factor]) => {
    assertNumber(size, `${amount}${unit}`, amount * factor, amount > 0 && amount < 10_000);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 400 }));
});

test("a count is a whole number of up to nine digits", (t) => {
  const property = fc.property(amount, (amount) => {
    assertNumber(count, String(amount), amount, amount > 0 && amount < 1_000_000_000);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 400 }));
});
