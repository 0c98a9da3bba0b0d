import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { formatBuildInfo } from "../../src/platform/build-info.ts";
import type { BuildInfo } from "../../src/platform/build-info.ts";
import { send, shownText } from "./http/request.ts";
import { serveHttp } from "./http/serve.ts";
import { buildInfoJson } from "../../src/greeter/json.ts";

/** Any code point, halves of surrogate pairs too; what fast-check calls "binary" takes a second to be made. */
const character = fc.oneof(fc.nat(0xff), fc.nat(0xffff), fc.nat(0x10ffff)).map((code) => String.fromCodePoint(code));

/** What a lockfile, an environment or another server may claim that something is called. */
const field = fc.oneof(
  fc.string({ unit: character, minLength: 1 }),
  fc.constantFrom("<script>", "&lt;", '"', "</pre>", "a\tb", "a\nb", "a\nbuild\tx=y", "\u001B[2J", "\u202E", "\u2028"),
  fc.constantFrom("__proto__", "constructor", "toString", "=", "\uD800", "\uDC00", "🐙"),
);

const module = fc.record({ path: field, version: field, sum: field }, { noNullPrototype: true });
const buildInfo: fc.Arbitrary<BuildInfo> = fc.record(
  {
    runtime: field,
    main: module,
    dependencies: fc.array(module, { maxLength: 4 }),
    settings: fc.dictionary(field, field, { maxKeys: 4, noNullPrototype: true }),
  },
  { noNullPrototype: true },
);

test("the text has one line for each thing, however it is called, and one field for each of its parts", (t) => {
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

test("the JSON is well-formed, and has everything that is not empty", (t) => {
  const property = fc.property(buildInfo, (buildInfo) => {
    const json = buildInfoJson(buildInfo);
    assert.ok(json.isWellFormed());
    assert.deepEqual({ dependencies: [], settings: {}, ...(JSON.parse(json) as object) }, buildInfo);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});

test("over HTTP it is the same, and in a page it is text", async (t) => {
  let served: BuildInfo | undefined;
  const { origin } = await serveHttp(t, { greeter: { version: async () => served! } });
  const property = fc.asyncProperty(buildInfo, async (buildInfo) => {
    served = buildInfo;
    // UTF-8 has no place for half a surrogate pair.
    const text = formatBuildInfo(buildInfo).toWellFormed();
    assert.equal((await send(origin, "/version", { accept: "text/plain" })).body, text);
    assert.equal(
      (await send(origin, "/version", { accept: "application/json" })).body,
      `${buildInfoJson(buildInfo)}\n`,
    );
    assert.equal(shownText((await send(origin, "/version")).body).trim(), `What is running here\n${text}`.trim());
  });
  await t.notThrowsAsync(fc.assert(property, { numRuns: 30 }));
});
