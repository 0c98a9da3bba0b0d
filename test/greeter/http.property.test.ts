import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { markupOf } from "../platform/http/markup.ts";
import { forms, getRaw, targets } from "../platform/http/raw.ts";
import { send } from "../platform/http/request.ts";
import { serveGreeter } from "./serve.ts";

/** A text that no caller has added a line to: one line, and that of the request id; or the build information. */
const plainText = /^(?:\P{Cc}+\n(?:Request id: [\w-]{36}\n)?|runtime\tnode [^]+)$/u;

const target = targets("/", "/", "/?name=", "/?name=", "//", "http://x/", "http://", "*", "");

test("any request gets a greeting, the version, a redirect to a greeting, or a bad request", async (t) => {
  const { port, origin, telemetry, lines } = await serveGreeter(t);
  const pages = await Promise.all(["/Bob", "/version", "/%zz"].map((path) => send(origin, path)));
  const known = new Set(pages.map(({ body }) => markupOf(body).join("\n")));

  const property = fc.asyncProperty(target, forms, async (target, accept) => {
    const { status, type, location, body } = await getRaw(port, target, accept);
    assert.ok(status === 200 || status === 303 || status === 400);
    assert.equal(location !== undefined, status === 303);
    if (location !== undefined) {
      assert.match(location, /^\/(?!\/)[\w.~!*'()%/-]*$/);
      assert.match(body, /^Redirecting to \/[^\s<>"]*\.$/);
      assert.equal((await send(origin, location)).status, 200);
    } else if (type.startsWith("text/html")) assert.ok(known.has(markupOf(body).join("\n")));
    else if (type.startsWith("text/plain")) assert.match(body, plainText);
    else assert.doesNotThrow(() => JSON.parse(body) as unknown);
  });
  await t.notThrowsAsync(fc.assert(property, { numRuns: 300 }));
  telemetry.log.flush();
  t.false(lines.some(({ msg }) => msg === "Request failed"));
});
