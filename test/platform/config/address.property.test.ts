import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { formatAddress, parseAddress } from "../../../src/platform/config/address.ts";
import { character } from "../../arbitraries.ts";

const host = fc.oneof(fc.constantFrom("", "localhost", "::", "fe80::1%eth0"), fc.domain(), fc.ipV4(), fc.ipV6());

/** Almost valid addresses, and arbitrary texts. */
const text = fc.oneof(
  fc.string({ unit: character }),
  fc.string({
    unit: fc.constantFrom("[", "]", ":", "1", "0", "f", ".", "%", "/", " ", "\0", "\u0085", "\u202E", "\uD800"),
  }),
  fc.stringMatching(/^[:a-f0-9.[\]]{0,6}:\d{1,6}$/),
  fc.tuple(fc.string({ unit: character }), fc.nat(99_999)).map(([host, port]) => `${host}:${port}`),
  fc.tuple(fc.string({ unit: character }), fc.nat(99_999)).map(([host, port]) => `[${host}]:${port}`),
);

test("a formatted address is parsed to the same address", (t) => {
  const property = fc.property(host, fc.nat(65_535), (host, port) => {
    assert.deepEqual(parseAddress(formatAddress({ host, port })), { host, port });
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});

test("any text is no address, or an address that survives formatting and parsing", (t) => {
  const property = fc.property(text, (text) => {
    const address = parseAddress(text);
    if (address === undefined) return;
    assert.ok(Number.isInteger(address.port) && address.port >= 0 && address.port <= 65_535);
    assert.deepEqual(parseAddress(formatAddress(address)), address);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});

test("a host has no control or format character, and no unpaired surrogate", (t) => {
  const property = fc.property(text, (text) => {
    assert.doesNotMatch(parseAddress(text)?.host ?? "", /[\p{Cc}\p{Cf}\p{Cs}]/u);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 500 }));
});
