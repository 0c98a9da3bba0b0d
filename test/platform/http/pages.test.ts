import test from "ava";
import { errorPage, page, versionPage } from "../../../src/platform/http/pages.ts";
import { checkDocument } from "./document.ts";

const pages = {
  version: versionPage("runtime\tnode\n"),
  error: errorPage("Bad Request", "No", "id"),
  own: page({ title: "Items", icon: "📦", main: "<h1>Items</h1>", footer: "" }),
};

for (const [name, html] of Object.entries(pages)) {
  test(`the ${name} page is a complete document that loads nothing`, (t) => checkDocument(t, html));
}

test("an icon is an emoji in SVG", (t) => {
  const [, svg = ""] = /href="data:image\/svg\+xml,([^"]+)"/.exec(pages.own) ?? [];
  t.regex(decodeURIComponent(svg), /^<svg [^>]+><text [^>]+>📦<\/text><\/svg>$/);
});
