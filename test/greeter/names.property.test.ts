import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import test from "ava";
import * as fc from "fast-check";
import { nameInPath, nameInQuery, pathOf } from "../../src/greeter/names.ts";
import { isInvalidArgument } from "../../src/platform/errors.ts";
import type { ServiceError } from "../../src/platform/errors.ts";
import { character } from "../arbitraries.ts";

/** Names with characters that have a meaning in a URL. UTF-8, and so a URL, cannot encode half a surrogate pair. */
const name = fc.oneof(
  fc.string({ unit: character }).map((name) => name.toWellFormed()),
  fc.string({ unit: fc.constantFrom("/", ".", "%", "\\", "?", "#", "+", "&", " ", "é", "🐙", "2", "F") }),
  fc.constantFrom("version", "version/", ".", "..", "/..", "__proto__", "http://x", "%2e%2e"),
);

/** Paths and queries that an HTTP parser accepts: well encoded, badly encoded, and not encoded. */
const encoded = fc.oneof(
  fc.string({ unit: character }),
  fc
    .array(fc.constantFrom("/", "a", "+", "&", "name", "name=", "%2F", "%41", "%C3%A9", "%c3", "%A9", "%F0%9F%90%99"))
    .map((parts) => parts.join("")),
  fc
    .array(fc.constantFrom("%", "%z", "%4", "%C0%AF", "%ED%A0%80", "%FF", "%00", "a", "="))
    .map((parts) => parts.join("")),
);

/** Removes the slashes at both ends: those of a name look like those of the path. */
function withoutSlashes(text: string): string {
  let [start, end] = [0, text.length];
  while (text[start] === "/") start++;
  while (end > start && text[end - 1] === "/") end--;
  return text.slice(start, end);
}

/** Implements percent-decoding again, by bytes (https://url.spec.whatwg.org/#percent-decode); undefined if they are not UTF-8. */
function decode(text: string): string | undefined {
  if (/%(?![\da-f]{2})/i.test(text)) return undefined;
  // An unencoded character stands for itself, even half a surrogate pair.
  const runs = text.match(/(?:%[\da-f]{2})+|[^%]+/gi) ?? [];
  const decoded = runs.map((run) => {
    if (!run.startsWith("%")) return run;
    const bytes = Buffer.from(run.replaceAll("%", ""), "hex");
    return isUtf8(bytes) ? bytes.toString() : undefined;
  });
  return decoded.includes(undefined) ? undefined : decoded.join("");
}

/** Returns the name or the caller's error. Throws any other error. */
function read(reader: () => string | undefined): string | undefined | ServiceError {
  try {
    return reader();
  } catch (error) {
    if (isInvalidArgument(error)) return error;
    throw error;
  }
}

test("the path of a name contains the name, except slashes at its ends", (t) => {
  const property = fc.property(name, (name) => {
    assert.equal(nameInPath(pathOf(name)) ?? "", withoutSlashes(name));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 400 }));
});

test("a browser requests the path of a name unchanged, never the version page, never another host", (t) => {
  const property = fc.property(name, (name) => {
    const path = pathOf(name);
    const { origin, pathname, search, hash } = new URL(path, "http://greeter.example");
    assert.deepEqual([origin, pathname, search, hash], ["http://greeter.example", path, "", ""]);
    assert.notEqual(path, "/version");
  });
  t.notThrows(() => fc.assert(property, { numRuns: 400 }));
});

test("any path is a name, or the caller's error if it is not percent-encoded UTF-8", (t) => {
  const property = fc.property(encoded, (path) => {
    const decoded = decode(path);
    const found = read(() => nameInPath(path));
    if (decoded === undefined) assert.ok(isInvalidArgument(found));
    else assert.equal(found ?? "", withoutSlashes(decoded));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});

test("any query has the name that a form sends, none, or the caller's error", (t) => {
  const property = fc.property(encoded, (query) => {
    const sent = query.split("&").map((pair) => pair.split("="));
    const [, ...value] = sent.find(([key]) => key === "name") ?? [];
    const found = read(() => nameInQuery(query));
    const decoded = decode(value.join("=").replaceAll("+", "%20"));
    if (!sent.some(([key]) => key === "name")) assert.equal(found, undefined);
    else if (decoded === undefined) assert.ok(isInvalidArgument(found));
    else assert.equal(found, withoutSlashes(decoded));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});
