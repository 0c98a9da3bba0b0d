import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Setting } from "../../../src/platform/config/setting.ts";
import { isInvalidArgument } from "../../../src/platform/errors.ts";
import { character } from "../../arbitraries.ts";

/** Any text that an operator may write: almost valid, or arbitrary. */
const text = fc.oneof(
  fc.string({ unit: character }),
  fc.string({ unit: fc.constantFrom("a", "🐙", "\u{E0001}", "\n", "\u2028", "\uD83D"), minLength: 60, maxLength: 70 }),
  fc.stringMatching(/^[-+ ]?\d{1,10}[.e]? ?(ms|s|m|h|d|B|KiB|MiB|GiB)?\n?$/),
  fc.stringMatching(/^(\[[:f0-9]{1,9}\]|[a-z0-9.-]{0,9}):\d{1,6}$/),
  fc.constantFrom("", "true", "FALSE", "info", "Debug", "all", "errors", "optional", "/etc/tls/key.pem", "__proto__"),
);

/** Maximum of a timer of Node, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Form of the texts of numbers, by the placeholder of the setting. */
const numbers: Record<string, RegExp> = {
  duration: /^\d+(?:ms|[smh])$/,
  count: /^\d+$/,
  size: /^\d+(?:B|KiB|MiB)$/,
};

/** Asserts that a setting parses any text to a value of its kind, or throws an error of one line that quotes the text. */
export function assertParsesAnyText(setting: Setting<unknown>): void {
  const property = fc.property(text, (text) => {
    try {
      assertValue(setting.parse(text, setting.variable), text, setting);
    } catch (error) {
      if (!isInvalidArgument(error)) throw error;
      assertMessage(error.message, text, setting);
    }
  });
  fc.assert(property, { numRuns: 200 });
}

function assertValue(value: unknown, text: string, { flags }: Setting<unknown>): void {
  const [, kind = ""] = /<(.+)>/.exec(flags) ?? [];
  if (numbers[kind]) {
    assert.match(text, numbers[kind]);
    assert.ok(Number.isSafeInteger(value) && Number(value) >= (kind === "duration" ? 0 : 1));
    assert.ok(kind !== "duration" || Number(value) <= MAX_TIMER_MS);
  } else assert.ok(["string", "boolean", "object"].includes(typeof value) && value !== null);
}

function assertMessage(message: string, text: string, { variable }: Setting<unknown>): void {
  assert.ok(message.isWellFormed());
  assert.doesNotMatch(message, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  const [, name, quoted, more] = /^Invalid (\S+) ("(?:[^"\\]|\\.)*")(…?): expected ./.exec(message) ?? [];
  assert.equal(name, variable);
  const start = JSON.parse(quoted!) as string;
  assert.equal(more === "…" ? text.slice(0, start.length) : text, start);
  assert.ok(Array.from(start).length <= 64);
}
