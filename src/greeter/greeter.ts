import type { BuildInfo } from "../platform/build-info.ts";
import type { RequestContext } from "../platform/context.ts";
import { invalidArgument } from "../platform/errors.ts";
import { quote } from "../platform/text.ts";

/** Name that is greeted if the caller gives none. */
export const DEFAULT_NAME = "Linky 🐙";

/** Greeting if the operator sets none. */
export const DEFAULT_GREETING = "Hello";

/** Maximum length of a name or greeting, in Unicode code points. */
export const MAX_TEXT_LENGTH = 256;

/** The service, without a protocol: {@link createGreeter} in this process, or a client of a remote server. */
export interface Greeter {
  /**
   * Greets `name`, or {@link DEFAULT_NAME} if it is undefined.
   * @throws {ServiceError} INVALID_ARGUMENT: the name breaks the rule of {@link checkText}
   */
  greet(name: string | undefined, context: RequestContext): Promise<string>;

  /** Returns the build information. */
  version(context: RequestContext): Promise<BuildInfo>;
}

/**
 * Creates the greeter.
 * @param greeting the word before the name, under the rule of {@link checkText}
 * @param buildInfo reads the build information; if it fails, only `version` fails
 * @throws {ServiceError} INVALID_ARGUMENT: the greeting breaks the rule
 */
export function createGreeter(greeting: string, buildInfo: () => Promise<BuildInfo>): Greeter {
  checkText("greeting", greeting);
  return {
    greet: async (name = DEFAULT_NAME) => `${greeting}, ${checkText("name", name)}!`,
    version: buildInfo,
  };
}

/**
 * Checks a name or a greeting, by one rule on every surface: 1 to {@link MAX_TEXT_LENGTH} code points of well-formed Unicode,
 * without control characters (general category Cc: C0, DEL and C1).
 * @param field name of the value in the error: "name", or a setting's flag
 * @returns the text, unchanged
 * @throws {ServiceError} INVALID_ARGUMENT: the text breaks the rule
 */
export function checkText(field: string, text: string): string {
  const problem = problemOf(text);
  if (problem === undefined) return text;
  throw invalidArgument(`Invalid ${field} ${quote(text)}: ${problem}`);
}

function problemOf(text: string): string | undefined {
  if (text === "") return `expected 1 to ${MAX_TEXT_LENGTH} characters`;
  if (!text.isWellFormed()) return "expected well-formed Unicode, got an unpaired surrogate";
  const control = /\p{Cc}/u.exec(text);
  if (control) return `expected no control character, got ${codePointName(control[0])}`;
  // A code point has one or two code units, so most texts need no count.
  if (text.length <= MAX_TEXT_LENGTH) return undefined;
  const length = countCodePoints(text);
  return length <= MAX_TEXT_LENGTH ? undefined : `expected at most ${MAX_TEXT_LENGTH} characters, got ${length}`;
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function codePointName(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}
