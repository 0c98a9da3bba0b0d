import test from "ava";
import * as fc from "fast-check";
import { errorPage, page, versionPage } from "../../../src/platform/http/pages.ts";
import { assertSamePage, pageText } from "./markup.ts";

test("build information is text on its page", (t) => {
  const property = fc.property(pageText, (buildInfo) => {
    assertSamePage(versionPage(buildInfo), versionPage(""), `Build information\n${buildInfo}`);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("an error is text on its page", (t) => {
  const property = fc.property(pageText, pageText, pageText, (title, detail, id) => {
    assertSamePage(errorPage(title, detail, id), errorPage("", "", ""), `${title}\n${detail}\nRequest id: ${id}`);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("a title is text in the head of its page", (t) => {
  const frame = (title: string): string => page({ title, main: "<p>x</p>", footer: "" });
  const property = fc.property(pageText, (title) => {
    assertSamePage(frame(title), frame(""), "x");
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});
