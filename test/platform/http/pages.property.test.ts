import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { errorPage, greetingPage, versionPage } from "../../../src/platform/http/pages.ts";
import { shownText } from "./request.ts";

/** Any code point, halves of surrogate pairs too; what fast-check calls "binary" takes a second to be made. */
const character = fc.oneof(fc.nat(0xff), fc.nat(0xffff), fc.nat(0x10ffff)).map((code) => String.fromCodePoint(code));

/** Texts with what HTML reads as more than text: for its tags, its attributes, its references and its comments. */
const text = fc.oneof(
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

/** What is markup in a page: tags, and references of characters that are none of the escaper's. */
function markup(html: string): string[] {
  return html.match(/<[^>]*>?|&(?!(?:amp|lt|gt|quot|#x27|#x60);)/g) ?? [];
}

/** Holds a page against one of the same kind that has only words. */
function assertSamePage(html: string, plain: string, shown: string): void {
  assert.deepEqual(markup(html), markup(plain));
  assert.equal(shownText(html).trim(), shown.trim());
}

test("a greeting is text on its page, whatever the name and the greeting are", (t) => {
  const property = fc.property(text, text, (greeting, name) => {
    const message = `${greeting}, ${name}!`;
    const html = greetingPage(message, name);
    assertSamePage(html, greetingPage("Hello, Bob!", "Bob"), `${message}\nGreet somebody elseGreet`);
    // The name alone is set apart, wherever else it stands.
    assert.equal(shownText(/<bdi>(.*)<\/bdi>!<\/h1>/s.exec(html)![1]!), name);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("a message that has no name at its end is text on its page", (t) => {
  const property = fc.property(text, text, (message, name) => {
    fc.pre(!message.endsWith(`${name}!`));
    assertSamePage(greetingPage(message, name), greetingPage("", "Bob"), `${message}\nGreet somebody elseGreet`);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("build information is text on its page", (t) => {
  const property = fc.property(text, (buildInfo) => {
    assertSamePage(versionPage(buildInfo), versionPage(""), `What is running here\n${buildInfo}`);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("an error is text on its page", (t) => {
  const property = fc.property(text, text, text, (title, detail, id) => {
    assertSamePage(errorPage(title, detail, id), errorPage("", "", ""), `${title}\n${detail}\nRequest id: ${id}`);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});
