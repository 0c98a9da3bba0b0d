import { createHash } from "node:crypto";
import test from "ava";
import { contentSecurityPolicy, errorPage, greetingPage, versionPage } from "../../../src/platform/http/pages.ts";

const pages = {
  greeting: greetingPage("Hello, Bob!", "Bob"),
  version: versionPage("runtime\tnode\n"),
  error: errorPage("Bad Request", "No", "id"),
};

for (const [name, html] of Object.entries(pages)) {
  test(`the ${name} page is a complete document for any screen`, (t) => {
    t.regex(html, /^<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">/);
    t.regex(html, /<meta name="viewport"/);
    t.regex(html, /<title>[^<]+<\/title>/);
    t.regex(html, /color-scheme: light dark/);
  });

  test(`the ${name} page needs nothing from elsewhere, and no script`, (t) => {
    t.notRegex(html, /<script|javascript:| on\w+=|@import|url\(|https?:\/\/(?!www\.w3\.org)/i);
    t.regex(html, /<link rel="icon" href="data:image\/svg\+xml,/);
  });

  test(`the ${name} page's style is the one that the policy allows`, (t) => {
    const style = /<style>([^]*)<\/style>/.exec(html)![1]!;
    const hash = createHash("sha256").update(style).digest("base64");
    t.true(contentSecurityPolicy.includes(`'sha256-${hash}'`));
  });
}

test("the greeting page has a form that needs no script, and leads to the version page", (t) => {
  t.regex(pages.greeting, /<form action="\/">.*<input name="name"/);
  t.regex(pages.greeting, /<a href="\/version">/);
});

test("a message without the name in it is shown as it is", (t) => {
  t.regex(greetingPage("Bonjour", "Bob"), /<h1>Bonjour<\/h1>/);
});
