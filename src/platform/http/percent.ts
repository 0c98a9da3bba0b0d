import { invalidArgument } from "../errors.ts";
import { quote } from "../text.ts";

/**
 * Decodes percent-encoded UTF-8.
 * @param part name of the text in the error, such as "path"
 * @throws {ServiceError} INVALID_ARGUMENT: the text is not percent-encoded UTF-8, which @koa/router and URLSearchParams accept silently
 */
export function decodePercent(part: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw invalidArgument(`Invalid ${part} ${quote(text)}: expected percent-encoded UTF-8`, { cause });
  }
}
