import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { markupOf } from "./markup.ts";
import { forms, getRaw, targets } from "./raw.ts";
import { send } from "./request.ts";
import { serveHttp } from "./serve.ts";

const target = targets("/", "//", "/version", "/?", "http://x/", "http://", "*", "");

test("any request target gets a page, a bad request or 404, and never fails", async (t) => {
  const { port, origin, telemetry, lines } = await serveHttp(t);
  const pages = await Promise.all(["/", "/version", "/nowhere"].map((path) => send(origin, path)));
  const known = new Set(pages.map(({ body }) => markupOf(body).join("\n")));

  const property = fc.asyncProperty(target, forms, async (target, accept) => {
    const { status, type, body } = await getRaw(port, target, accept);
    assert.ok(status === 200 || status === 400 || status === 404);
    if (type.startsWith("text/html")) assert.ok(known.has(markupOf(body).join("\n")));
    else if (!type.startsWith("text/plain")) assert.doesNotThrow(() => JSON.parse(body) as unknown);
  });
  await t.notThrowsAsync(fc.assert(property, { numRuns: 200 }));
  telemetry.log.flush();
  t.false(lines.some(({ msg }) => msg === "Request failed"));
});
