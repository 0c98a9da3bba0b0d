import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { checkText, createGreeter, MAX_TEXT_LENGTH } from "../../src/greeter/greeter.ts";
import { createContext } from "../../src/platform/context.ts";
import { isInvalidArgument } from "../../src/platform/errors.ts";
import { character } from "../arbitraries.ts";

// Properties use node:assert, because after a failed assertion of AVA fast-check cannot report the seed and the smallest example.

/** Valid and invalid names: with halves of surrogate pairs, with control characters, too long. */
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

/** Implements the rule again, by UTF-16 code units. */
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

/** Returns the error of an invalid text; undefined for a valid one. */
function rejection(text: string): unknown {
  try {
    assert.equal(checkText("name", text), text);
    return undefined;
  } catch (error) {
    return error;
  }
}

test("the rule accepts exactly the valid texts, and rejects the others as invalid arguments", (t) => {
  const property = fc.property(text, (text) => {
    const error = rejection(text);
    assert.equal(error === undefined, isAllowed(text));
    assert.ok(error === undefined || isInvalidArgument(error));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});

test("an error is one short line of well-formed text without hidden characters", (t) => {
  const property = fc.property(
    text.filter((text) => !isAllowed(text)),
    (text) => {
      const { message } = rejection(text) as Error;
      assert.ok(message.isWellFormed());
      assert.doesNotMatch(message, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      // Each of 64 code points takes up to two escapes of six characters. The rest is the sentence around them.
      assert.ok(message.length <= 64 * 12 + 100);
    },
  );
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("a greeting starts with the operator's word, and ends with the name", async (t) => {
  const allowed = text.filter(isAllowed);
  const buildInfo = (): never => assert.fail();
  const property = fc.asyncProperty(allowed, allowed, async (greeting, name) => {
    assert.equal(await createGreeter(greeting, buildInfo).greet(name, createContext()), `${greeting}, ${name}!`);
  });
  await t.notThrowsAsync(fc.assert(property, { numRuns: 200 }));
});

test("an invalid name is not greeted", async (t) => {
  const greeter = createGreeter("Hello", () => assert.fail());
  const invalid = text.filter((text) => !isAllowed(text));
  const property = fc.asyncProperty(invalid, (name) =>
    assert.rejects(greeter.greet(name, createContext()), isInvalidArgument),
  );
  await t.notThrowsAsync(fc.assert(property, { numRuns: 200 }));
});
