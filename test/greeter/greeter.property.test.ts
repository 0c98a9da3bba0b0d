import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { checkText, createGreeter, InvalidArgumentError, MAX_TEXT_LENGTH, quote } from "../../src/greeter/greeter.ts";

/** Any code point, halves of surrogate pairs too; what fast-check calls "binary" takes a second to be made. */
const character = fc.oneof(fc.nat(0xff), fc.nat(0xffff), fc.nat(0x10ffff)).map((code) => String.fromCodePoint(code));

// What a property asserts is not AVA's, or a failure would not tell the seed and the smallest example that fast-check found.

/** Texts that may be names, and texts that may not: halves of surrogate pairs, controls, more than is allowed. */
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: character }),
  fc.string({ unit: fc.constantFrom("a", '"', "\n", "\u007F", "\u009F", "\u202E", "\u2028", "\uD83D", "\uDC19") }),
  fc.string({ unit: fc.constantFrom("a", "🐙", "\u{E0001}", "\0", "\uD83D"), minLength: 60, maxLength: 70 }),
  repeated(fc.constantFrom("a", "é", "🐙", "a🐙"), fc.constantFrom(127, 128, 129, 255, 256, 257)),
  repeated(fc.string({ unit: character }), fc.nat(5000)),
);

function repeated(part: fc.Arbitrary<string>, count: fc.Arbitrary<number>): fc.Arbitrary<string> {
  return fc.tuple(part, count).map(([part, count]) => part.repeat(count));
}

/** The rule once more, in other words: of UTF-16's code units. */
function isAllowed(text: string): boolean {
  let length = 0;
  for (let index = 0; index < text.length; index++, length++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f)) return false;
    if (unit >= 0xdc00 && unit <= 0xdfff) return false;
    if (unit >= 0xd800 && unit <= 0xdbff) {
      index++;
      if (!(text.charCodeAt(index) >= 0xdc00 && text.charCodeAt(index) <= 0xdfff)) return false;
    }
  }
  return length >= 1 && length <= MAX_TEXT_LENGTH;
}

/** What the rule throws at a text; undefined where it takes it as it is. */
function rejection(text: string): unknown {
  try {
    assert.equal(checkText("name", text), text);
    return undefined;
  } catch (error) {
    return error;
  }
}

test("the rule takes exactly the texts that it should, and rejects the others as invalid arguments", (t) => {
  const property = fc.property(text, (text) => {
    const error = rejection(text);
    assert.equal(error === undefined, isAllowed(text));
    assert.ok(error === undefined || error instanceof InvalidArgumentError);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});

test("what is wrong with a text is said in one short line of well-formed text with nothing hidden in it", (t) => {
  const property = fc.property(
    text.filter((text) => !isAllowed(text)),
    (text) => {
      const { message } = rejection(text) as Error;
      assert.ok(message.isWellFormed());
      assert.doesNotMatch(message, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      // 64 code points, which may take two escapes of six characters each, and the sentence around them.
      assert.ok(message.length <= 64 * 12 + 100);
    },
  );
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("a quote is JSON of the first 64 characters, and tells whether there are more", (t) => {
  const property = fc.property(text, (text) => {
    const start = Array.from(text).slice(0, 64).join("");
    const quoted = quote(text);
    assert.equal(quoted.endsWith("…"), start !== text);
    assert.equal(JSON.parse(start === text ? quoted : quoted.slice(0, -1)), start);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("a greeting is the operator's word, and ends with the name", async (t) => {
  const allowed = text.filter(isAllowed);
  const buildInfo = (): never => assert.fail();
  const property = fc.asyncProperty(allowed, allowed, async (greeting, name) => {
    assert.equal(await createGreeter({ greeting, buildInfo }).greet(name), `${greeting}, ${name}!`);
  });
  await t.notThrowsAsync(fc.assert(property, { numRuns: 200 }));
});

test("a bad name is greeted by nobody", async (t) => {
  const greeter = createGreeter({ greeting: "Hello", buildInfo: () => assert.fail() });
  const bad = text.filter((text) => !isAllowed(text));
  const property = fc.asyncProperty(bad, (name) => assert.rejects(greeter.greet(name), InvalidArgumentError));
  await t.notThrowsAsync(fc.assert(property, { numRuns: 200 }));
});
