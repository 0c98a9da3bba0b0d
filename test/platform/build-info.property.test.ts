import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { buildInfoJson, formatBuildInfo } from "../../src/platform/build-info.ts";
import type { BuildInfo } from "../../src/platform/build-info.ts";
import { versionRoutes } from "../../src/platform/http/version.ts";
import { buildInfoOf, character } from "../arbitraries.ts";
import { send, shownText } from "./http/request.ts";
import { serveHttp } from "./http/serve.ts";

/** Text that a lockfile, an environment or another server may contain. */
const field = fc.oneof(
  fc.string({ unit: character, minLength: 1 }),
  fc.constantFrom("<script>", "&lt;", '"', "</pre>", "a\tb", "a\nb", "a\nbuild\tx=y", "\u001B[2J", "\u202E", "\u2028"),
  fc.constantFrom("__proto__", "constructor", "toString", "=", "\uD800", "\uDC00", "🐙"),
);

const buildInfo = buildInfoOf(field);

test("the text has one line for each entry, and one field for each part of it", (t) => {
  const property = fc.property(buildInfo, (buildInfo) => {
    const text = formatBuildInfo(buildInfo);
    const shape = text.split(/[\n\v\f\r\u0085\u2028\u2029]/).map((line) => line.split("\t"));
    assert.deepEqual(
      shape.map(([kind, ...fields]) => [kind, fields.length]),
      [
        ["runtime", 1],
        ["mod", 2],
        ...buildInfo.dependencies.map(() => ["dep", 3]),
        ...Object.keys(buildInfo.settings).map(() => ["build", 1]),
        ["", 0],
      ],
    );
    assert.doesNotMatch(text, /[^\P{Cc}\n\t]/u);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("the JSON is well-formed, and has every value that is not empty", (t) => {
  const property = fc.property(buildInfo, (buildInfo) => {
    const json = buildInfoJson(buildInfo);
    assert.ok(json.isWellFormed());
    assert.deepEqual({ dependencies: [], settings: {}, ...(JSON.parse(json) as object) }, buildInfo);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("HTTP serves the same text and JSON, and the page shows the text", async (t) => {
  let served: BuildInfo | undefined;
  const { origin } = await serveHttp(t, { middleware: [versionRoutes(async () => served!)] });
  const property = fc.asyncProperty(buildInfo, async (buildInfo) => {
    served = buildInfo;
    // UTF-8 cannot encode an unpaired surrogate.
    const text = formatBuildInfo(buildInfo).toWellFormed();
    assert.equal((await send(origin, "/version", { accept: "text/plain" })).body, text);
    assert.equal(
      (await send(origin, "/version", { accept: "application/json" })).body,
      `${buildInfoJson(buildInfo)}\n`,
    );
    assert.equal(shownText((await send(origin, "/version")).body).trim(), `Build information\n${text}`.trim());
  });
  await t.notThrowsAsync(fc.assert(property, { numRuns: 30 }));
});
