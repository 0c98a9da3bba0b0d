import type { BuildInfo } from "../platform/build-info.ts";

/** The name that is greeted when a caller gives none. */
export const DEFAULT_NAME = "Linky 🐙";

/** The greeting of an operator who sets none. */
export const DEFAULT_GREETING = "Hello";

/** The longest name or greeting, in Unicode code points. */
export const MAX_TEXT_LENGTH = 256;

/** How much of a rejected value an error text quotes, in Unicode code points. */
const MAX_QUOTED_LENGTH = 64;

/** What the service does, whoever does it: {@link createGreeter} here, a gRPC client for somebody far away. */
export interface Greeter {
  /**
   * Greets `name`, or {@link DEFAULT_NAME} when it is undefined.
   * @throws {InvalidArgumentError} the name breaks the rule of {@link checkText}
   */
  greet(name?: string): Promise<string>;

  /** Tells what is running. */
  version(): Promise<BuildInfo>;
}

/** A caller's value breaks a rule. The message says which value, and what is expected; callers may see it. */
export class InvalidArgumentError extends Error {
  override readonly name = "InvalidArgumentError";
}

/** The service can't answer now, and another try, perhaps elsewhere, may succeed. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

/** The service can't answer now, for it has too much to do: whoever asks should leave it alone for {@link retryAfterMs}. */
export class OverloadedError extends UnavailableError {
  readonly retryAfterMs = 1000;
}

/** The answer did not come in the time that the caller gave. */
export class DeadlineExceededError extends Error {
  override readonly name = "DeadlineExceededError";
}

/**
 * The greeter itself.
 * @param options.greeting the word before the name, under the rule of {@link checkText}
 * @param options.buildInfo tells what is running; its failure is the failure of `version` alone
 * @throws {InvalidArgumentError} the greeting breaks the rule
 */
export function createGreeter(options: { greeting: string; buildInfo: () => Promise<BuildInfo> }): Greeter {
  const greeting = checkText("greeting", options.greeting);
  return {
    greet: async (name = DEFAULT_NAME) => `${greeting}, ${checkText("name", name)}!`,
    version: options.buildInfo,
  };
}

/**
 * The one rule for names and greetings, on every surface: 1 to {@link MAX_TEXT_LENGTH} code points of
 * well-formed Unicode, none of them a control character (general category Cc: C0, DEL and C1).
 * @param field what the text is, for the error: "name", or a setting's flag
 * @returns the text, unchanged
 * @throws {InvalidArgumentError} the text breaks the rule
 */
export function checkText(field: string, text: string): string {
  const problem = problemOf(text);
  if (problem === undefined) return text;
  throw new InvalidArgumentError(`Invalid ${field} ${quote(text)}: ${problem}`);
}

function problemOf(text: string): string | undefined {
  if (text === "") return `expected 1 to ${MAX_TEXT_LENGTH} characters`;
  if (!text.isWellFormed()) return "expected well-formed Unicode, got an unpaired surrogate";
  const control = /\p{Cc}/u.exec(text);
  if (control) return `expected no control character, got ${codePointName(control[0])}`;
  // A code point takes one or two code units, so that most texts need no count.
  if (text.length <= MAX_TEXT_LENGTH) return undefined;
  const length = countCodePoints(text);
  return length <= MAX_TEXT_LENGTH ? undefined : `expected at most ${MAX_TEXT_LENGTH} characters, got ${length}`;
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * A caller's text as an error or a log may show it: in quotes, at most 64 code points of it, and with everything
 * that could break a line, hide itself or turn the reading direction around written as an escape.
 */
export function quote(text: string): string {
  const start = firstCodePoints(text, MAX_QUOTED_LENGTH);
  const visible = JSON.stringify(start).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu,
    (character) =>
      Array.from({ length: character.length }, (_, unit) => unicodeEscape(character.charCodeAt(unit))).join(""),
  );
  return start.length < text.length ? `${visible}…` : visible;
}

/** Somebody else's text as a line of plain text may show it: what would end the line, or move a cursor, is replaced. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

function firstCodePoints(text: string, count: number): string {
  // Never more than twice as many code units: a megabyte of rejected input is not cut into characters.
  return Array.from(text.slice(0, 2 * count))
    .slice(0, count)
    .join("");
}

function unicodeEscape(codeUnit: number): string {
  return `\\u${codeUnit.toString(16).padStart(4, "0")}`;
}

function codePointName(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}
