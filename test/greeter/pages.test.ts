import test from "ava";
import { greetingPage } from "../../src/greeter/pages.ts";
import { checkDocument } from "../platform/http/document.ts";

const html = greetingPage("Hello, Bob!", "Bob");

test("the greeting page is a complete document that loads nothing, with an icon", (t) => {
  checkDocument(t, html);
  t.regex(html, /<link rel="icon" href="data:image\/svg\+xml,/);
});

test("the greeting page has a form that needs no script, and a link to the version page", (t) => {
  t.regex(html, /<form action="\/">.*<input name="name"/);
  t.regex(html, /<a href="\/version">/);
});

test("a message without the name is shown as it is", (t) => {
  t.regex(greetingPage("Bonjour", "Bob"), /<h1>Bonjour<\/h1>/);
});
