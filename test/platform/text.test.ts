import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { printable, quote } from "../../src/platform/text.ts";
import { character } from "../arbitraries.ts";

test("quotes at most 64 code points, and never half a surrogate pair", (t) => {
  t.is(quote("🐙".repeat(64)), `"${"🐙".repeat(64)}"`);
  t.is(quote("🐙".repeat(65)), `"${"🐙".repeat(64)}"…`);
  t.true(quote(`a${"🐙".repeat(500)}`).isWellFormed());
});

test("quotes no character that breaks a line, is hidden, or reverses the reading direction", (t) => {
  t.is(quote('a\n"b\\'), String.raw`"a\n\"b\\"`);
  t.is(quote("\u0085\u007F\u202E\u2028\uFEFF\u{E0001}"), String.raw`"\u0085\u007f\u202e\u2028\ufeff\udb40\udc01"`);
});

test("replaces the characters that end a line or control a terminal", (t) => {
  t.is(printable("a\u001B[2J\tb\r\n\u0085\u2028\u2029é🐙"), `a\uFFFD[2J\uFFFDb${"\uFFFD".repeat(5)}é🐙`);
});

test("a quote is JSON of the first 64 characters, and shows whether there are more", (t) => {
  const parts = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom("a", '"', "\n", "\u007F", "\u202E", "\u2028", "\uD83D", "\uDC19") }),
    fc.string({ unit: fc.constantFrom("a", "🐙", "\u{E0001}", "\0", "\uD83D"), minLength: 60, maxLength: 70 }),
    fc.tuple(fc.string({ unit: character }), fc.nat(5000)).map(([part, count]) => part.repeat(count)),
  );
  const property = fc.property(parts, (text) => {
    const start = Array.from(text).slice(0, 64).join("");
    const quoted = quote(text);
    assert.equal(quoted.endsWith("…"), start !== text);
    assert.equal(JSON.parse(start === text ? quoted : quoted.slice(0, -1)), start);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});
