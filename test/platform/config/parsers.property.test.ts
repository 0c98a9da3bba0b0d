import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { InvalidArgumentError } from "../../../src/greeter/greeter.ts";
import { settings } from "../../../src/platform/config/settings.ts";
import type { Setting } from "../../../src/platform/config/settings.ts";
import { count, duration, size } from "../../../src/platform/config/parsers.ts";

/** Any code point, halves of surrogate pairs too; what fast-check calls "binary" takes a second to be made. */
const character = fc.oneof(fc.nat(0xff), fc.nat(0xffff), fc.nat(0x10ffff)).map((code) => String.fromCodePoint(code));

/** What an operator, or whoever can set a variable, may write: nearly right, or anything. */
const text = fc.oneof(
  fc.string({ unit: character }),
  fc.string({ unit: fc.constantFrom("a", "🐙", "\u{E0001}", "\n", "\u2028", "\uD83D"), minLength: 60, maxLength: 70 }),
  fc.stringMatching(/^[-+ ]?\d{1,10}[.e]? ?(ms|s|m|h|d|B|KiB|MiB|GiB)?\n?$/),
  fc.stringMatching(/^(\[[:f0-9]{1,9}\]|[a-z0-9.-]{0,9}):\d{1,6}$/),
  fc.constantFrom("", "true", "FALSE", "info", "Debug", "all", "errors", "optional", "/etc/tls/key.pem", "__proto__"),
);

const MAX_TIMER = 2 ** 31 - 1;

/** What the texts of numbers are like, by what the help calls them. */
const numbers: Record<string, RegExp> = {
  duration: /^\d+(?:ms|[smh])$/,
  count: /^\d+$/,
  size: /^\d+(?:B|KiB|MiB)$/,
};

/** Holds the value of a text against its kind. */
function assertValue(value: unknown, text: string, { flags }: Setting<unknown>): void {
  const [, kind = ""] = /<(.+)>/.exec(flags) ?? [];
  if (numbers[kind]) {
    assert.match(text, numbers[kind]);
    assert.ok(Number.isSafeInteger(value) && Number(value) >= (kind === "duration" ? 0 : 1));
    assert.ok(kind !== "duration" || Number(value) <= MAX_TIMER);
  } else assert.ok(["string", "boolean", "object"].includes(typeof value) && value !== null);
}

for (const setting of Object.values<Setting<unknown>>(settings)) {
  test(`${setting.variable} may be any text: it is a value, or an error of one line that tells what is wrong`, (t) => {
    const property = fc.property(text, (text) => {
      try {
        assertValue(setting.parse(text, setting.variable), text, setting);
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        const { message } = error;
        assert.ok(message.isWellFormed());
        assert.doesNotMatch(message, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        const [, name, quoted, more] = /^Invalid (\S+) ("(?:[^"\\]|\\.)*")(…?): expected ./.exec(message) ?? [];
        assert.equal(name, setting.variable);
        const start = JSON.parse(quoted!) as string;
        assert.equal(more === "…" ? text.slice(0, start.length) : text, start);
        assert.ok(Array.from(start).length <= 64);
      }
    });
    t.notThrows(() => fc.assert(property, { numRuns: 200 }));
  });
}

/** Holds a parser of numbers with units against arithmetic. */
function assertNumber(
  parse: (text: string, name: string) => number,
  text: string,
  value: number,
  valid: boolean,
): void {
  if (valid) assert.equal(parse(text, "--x"), value);
  else assert.throws(() => parse(text, "--x"), InvalidArgumentError);
}

/** Any amount, and those on both sides of a limit. */
const limits = [9999, 999_999_999, ...[1, 1000, 60_000, 3_600_000].map((factor) => Math.floor(MAX_TIMER / factor))];
const amount = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, ...limits, ...limits.map((limit) => limit + 1)));

test("a duration is so many of its units, as long as a timer can hold them", (t) => {
  const unit = fc.constantFrom(["ms", 1], ["s", 1000], ["m", 60_000], ["h", 3_600_000]);
  const property = fc.property(amount, unit, (amount, [unit, factor]) => {
    assertNumber(duration, `${amount}${unit}`, amount * factor, amount * factor <= MAX_TIMER);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 400 }));
});

test("a size is so many of its units, up to 9999 of them", (t) => {
  const unit = fc.constantFrom(["B", 1], ["KiB", 1024], ["MiB", 1_048_576]);
  const property = fc.property(amount, unit, (amount, [unit, factor]) => {
    assertNumber(size, `${amount}${unit}`, amount * factor, amount > 0 && amount < 10_000);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 400 }));
});

test("a count is a whole number, of up to nine digits", (t) => {
  const property = fc.property(amount, (amount) => {
    assertNumber(count, String(amount), amount, amount > 0 && amount < 1_000_000_000);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 400 }));
});
