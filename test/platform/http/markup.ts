import assert from "node:assert/strict";
import * as fc from "fast-check";
import { character } from "../../arbitraries.ts";
import { shownText } from "./request.ts";

/** Texts with the characters that HTML reads as tags, attributes, references and comments. */
export const pageText = fc.oneof(
  fc.string({ unit: character }),
  fc
    .array(
      fc.constantFrom("<", ">", "&", '"', "'", "`", "=", "/", "!--", "b", "main", "amp;", "lt;", "#60;", "$&", "$`"),
    )
    .map((parts) => parts.join("")),
  fc.constantFrom(
    "</title>",
    "</main>",
    "</pre>",
    "<!--",
    "<script>alert(1)</script>",
    "]]>",
    "\0",
    "\u202E",
    "\u2028",
  ),
);

/** Returns the markup of a page: its tags, and its character references except those of the escaper. */
export function markupOf(html: string): string[] {
  return html.match(/<[^>]*>?|&(?!(?:amp|lt|gt|quot|#x27|#x60);)/g) ?? [];
}

/**
 * Asserts that a page has the markup of another one, and shows a text.
 * @param plain page of the same kind without special characters
 */
export function assertSamePage(html: string, plain: string, shown: string): void {
  assert.deepEqual(markupOf(html), markupOf(plain));
  assert.equal(shownText(html).trim(), shown.trim());
}
