import { invalidArgument } from "./errors.ts";

/** Maximum length of a quoted value, in Unicode code points. */
const MAX_QUOTED_LENGTH = 64;

/**
 * Quotes a caller's text for an error or a log.
 * @returns at most {@link MAX_QUOTED_LENGTH} code points, in which every character that can break a line, hide or reverse
 *   the reading direction is an escape
 */
export function quote(text: string): string {
  const start = truncate(text, MAX_QUOTED_LENGTH);
  const visible = JSON.stringify(start).replaceAll(invisible, escapeCodeUnits);
  return start.length < text.length ? `${visible}…` : visible;
}

const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Escapes each UTF-16 code unit of a text, as in JSON. */
export function escapeCodeUnits(text: string): string {
  return text.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Returns the first code points of a text. */
export function truncate(text: string, length: number): string {
  // A code point has at most two code units. Slicing first bounds the work for a megabyte of rejected input.
  const codePoints = Array.from(text.slice(0, 2 * length)).slice(0, length);
  return codePoints.join("");
}

/** Replaces the characters of a text that would end a line or control a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

/**
 * Decodes percent-encoded UTF-8.
 * @param part name of the text in the error, such as "path"
 * @throws {ServiceError} INVALID_ARGUMENT: the text is malformed, which @koa/router and URLSearchParams accept silently
 */
export function decodePercent(part: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw invalidArgument(`Invalid ${part} ${quote(text)}: expected percent-encoded UTF-8`, { cause });
  }
}
