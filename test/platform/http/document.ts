import { createHash } from "node:crypto";
import type { ExecutionContext } from "ava";
import { contentSecurityPolicy } from "../../../src/platform/http/pages.ts";

/** Checks that a page is a complete document that loads nothing, under the policy of every response. */
export function checkDocument(t: ExecutionContext, html: string): void {
  t.regex(html, /^<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">/);
  t.regex(html, /<meta name="viewport"/);
  t.regex(html, /<title>[^<]+<\/title>/);
  t.regex(html, /color-scheme: light dark/);

  t.notRegex(html, /<script|javascript:| on\w+=|@import|url\(|https?:\/\/(?!www\.w3\.org)/i);
  t.regex(html, /<link rel="icon" href="data:(?:,|image\/svg\+xml,[^"]+)">/);

  const style = /<style>([^]*)<\/style>/.exec(html)![1]!;
  const hash = createHash("sha256").update(style).digest("base64");
  t.true(contentSecurityPolicy.includes(`'sha256-${hash}'`));
}
