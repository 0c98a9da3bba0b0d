import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { greetingPage } from "../../src/greeter/pages.ts";
import { assertSamePage, pageText } from "../platform/http/markup.ts";
import { shownText } from "../platform/http/request.ts";

test("a greeting is text on its page, whatever the name and the greeting are", (t) => {
  const property = fc.property(pageText, pageText, (greeting, name) => {
    const message = `${greeting}, ${name}!`;
    const html = greetingPage(message, name);
    assertSamePage(html, greetingPage("Hello, Bob!", "Bob"), `${message}\nGreet somebody elseGreet`);
    // Only the name is isolated, even if it occurs elsewhere.
    assert.equal(shownText(/<bdi>(.*)<\/bdi>!<\/h1>/s.exec(html)![1]!), name);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("a message without the name at its end is text on its page", (t) => {
  const property = fc.property(pageText, pageText, (message, name) => {
    fc.pre(!message.endsWith(`${name}!`));
    assertSamePage(greetingPage(message, name), greetingPage("", "Bob"), `${message}\nGreet somebody elseGreet`);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});
