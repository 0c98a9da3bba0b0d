import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import test from "ava";
import * as fc from "fast-check";
import { InvalidArgumentError } from "../../src/greeter/greeter.ts";
import { nameInPath, nameInQuery, pathOf } from "../../src/greeter/names.ts";

/** Any code point, halves of surrogate pairs too; what fast-check calls "binary" takes a second to be made. */
const character = fc.oneof(fc.nat(0xff), fc.nat(0xffff), fc.nat(0x10ffff)).map((code) => String.fromCodePoint(code));

/** Names with what means something in a URL. UTF-8, and so a URL, has no place for half a surrogate pair. */
const name = fc.oneof(
  fc.string({ unit: character }).map((name) => name.toWellFormed()),
  fc.string({ unit: fc.constantFrom("/", ".", "%", "\\", "?", "#", "+", "&", " ", "é", "🐙", "2", "F") }),
  fc.constantFrom("version", "version/", ".", "..", "/..", "__proto__", "http://x", "%2e%2e"),
);

/** Paths and queries of whatever a parser of HTTP lets through: well encoded, badly, or not at all. */
const encoded = fc.oneof(
  fc.string({ unit: character }),
  fc
    .array(fc.constantFrom("/", "a", "+", "&", "name", "name=", "%2F", "%41", "%C3%A9", "%c3", "%A9", "%F0%9F%90%99"))
    .map((parts) => parts.join("")),
  fc
    .array(fc.constantFrom("%", "%z", "%4", "%C0%AF", "%ED%A0%80", "%FF", "%00", "a", "="))
    .map((parts) => parts.join("")),
);

/** A name's own slashes can't be told from the path's. */
function withoutSlashes(text: string): string {
  let [start, end] = [0, text.length];
  while (text[start] === "/") start++;
  while (end > start && text[end - 1] === "/") end--;
  return text.slice(start, end);
}

/** Percent-decoding once more, of bytes (https://url.spec.whatwg.org/#percent-decode); undefined where they are no UTF-8. */
function decode(text: string): string | undefined {
  if (/%(?![\da-f]{2})/i.test(text)) return undefined;
  // What is not encoded stands for itself, a half of a surrogate pair too.
  const runs = text.match(/(?:%[\da-f]{2})+|[^%]+/gi) ?? [];
  const decoded = runs.map((run) => {
    if (!run.startsWith("%")) return run;
    const bytes = Buffer.from(run.replaceAll("%", ""), "hex");
    return isUtf8(bytes) ? bytes.toString() : undefined;
  });
  return decoded.includes(undefined) ? undefined : decoded.join("");
}

/** What a reader of names makes of a text; an error that is not the caller's is ours, and is thrown. */
function read(reader: () => string | undefined): string | undefined | InvalidArgumentError {
  try {
    return reader();
  } catch (error) {
    if (error instanceof InvalidArgumentError) return error;
    throw error;
  }
}

test("the path of a name leads back to it, but for slashes at its ends", (t) => {
  const property = fc.property(name, (name) => {
    assert.equal(nameInPath(pathOf(name)) ?? "", withoutSlashes(name));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 400 }));
});

test("a browser asks for the path of a name as it is, and it is never the version page or another host", (t) => {
  const property = fc.property(name, (name) => {
    const path = pathOf(name);
    const { origin, pathname, search, hash } = new URL(path, "http://greeter.example");
    assert.deepEqual([origin, pathname, search, hash], ["http://greeter.example", path, "", ""]);
    assert.notEqual(path, "/version");
  });
  t.notThrows(() => fc.assert(property, { numRuns: 400 }));
});

test("any path is a name, or the caller's error where it is not percent-encoded UTF-8", (t) => {
  const property = fc.property(encoded, (path) => {
    const decoded = decode(path);
    const found = read(() => nameInPath(path));
    if (decoded === undefined) assert.ok(found instanceof InvalidArgumentError);
    else assert.equal(found ?? "", withoutSlashes(decoded));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});

test("any query has the name that a form would have sent, none, or the caller's error", (t) => {
  const property = fc.property(encoded, (query) => {
    const sent = query.split("&").map((pair) => pair.split("="));
    const [, ...value] = sent.find(([key]) => key === "name") ?? [];
    const found = read(() => nameInQuery(query));
    const decoded = decode(value.join("=").replaceAll("+", "%20"));
    if (!sent.some(([key]) => key === "name")) assert.equal(found, undefined);
    else if (decoded === undefined) assert.ok(found instanceof InvalidArgumentError);
    else assert.equal(found, withoutSlashes(decoded));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});
