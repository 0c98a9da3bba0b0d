import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { createLog } from "../../src/telemetry/log.ts";

/** Any code point, halves of surrogate pairs too; what fast-check calls "binary" takes a second to be made. */
const character = fc.oneof(fc.nat(0xff), fc.nat(0xffff), fc.nat(0x10ffff)).map((code) => String.fromCodePoint(code));

/** What a terminal obeys: escape sequences in parts, one-byte ones, and what moves the cursor. */
const part = fc.constantFrom(
  ...Array.from("\u001B\u009B[]\u0007\b\r\n\u007F\u009Da"),
  ..."0; 2J 31m \\n %s".split(" "),
  '"',
  " a=b",
);

const text = fc.oneof(
  fc.string({ unit: character }),
  fc.array(part).map((parts) => parts.join("")),
);

const name = fc.constantFrom("address", "details", "protocol", "reason", "request", "path");
const fields = fc.dictionary(name, fc.oneof(text, fc.jsonValue({ stringUnit: character })));
const exchange = fc.record({ method: text, path: text, status: text, duration_ms: fc.oneof(text, fc.double()) });

/** What a terminal gets of a line, but for the colours. */
function shown(write: (log: ReturnType<typeof createLog>) => void): string {
  let lines = "";
  const log = createLog("debug", { isTTY: true, write: (text) => (lines += text) });
  write(log);
  log.flush();
  return lines.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g"), "");
}

/** What moves a cursor or worse. */
const controls = /[^\P{Cc}\n]/u;

test("a line for people is one line, and nothing in it does more to a terminal than stand there", (t) => {
  const property = fc.property(text, fields, fc.option(exchange, { nil: {} }), (text, fields, exchange) => {
    const line = shown((log) => log.warn({ ...fields, ...exchange }, text));
    assert.doesNotMatch(line, controls);
    assert.match(line, /^\d\d:\d\d:\d\d WARN\b[^\n]*\n$/);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});

test("what is in a field can't pass for another field", (t) => {
  const property = fc.property(fc.dictionary(name, text), (fields) => {
    const line = shown((log) => log.warn(fields, "Message"));
    const read = line.matchAll(/ (\w+)=(?:"(?:[^"\\]|\\.)*"|[^\s"]+)(?=[ \n])/g);
    assert.deepEqual(
      Array.from(read, ([, name]) => name),
      Object.keys(fields),
    );
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("an error for people has lines, and nothing that does more to a terminal", (t) => {
  const property = fc.property(text, text, text, (text, cause, stack) => {
    for (const err of [new Error(text, { cause: new Error(cause) }), Object.assign(new Error(text), { stack })]) {
      const lines = shown((log) => log.error({ err }, "Request failed"));
      assert.doesNotMatch(lines, controls);
    }
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});
