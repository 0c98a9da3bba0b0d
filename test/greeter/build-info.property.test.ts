import assert from "node:assert/strict";
import { create, toJsonString } from "@bufbuild/protobuf";
import test from "ava";
import * as fc from "fast-check";
import { VersionResponseSchema } from "../../src/gen/greeter/v1/greeter_pb.ts";
import { buildInfoJson } from "../../src/platform/build-info.ts";
import type { BuildInfo } from "../../src/platform/build-info.ts";

/** Texts with the empty one, escapes, names of Object.prototype, and code points beyond the BMP. */
const field = fc.oneof(
  fc.constantFrom("", "1", "constructor", "toString", "a\tb", '"', "\\", "\u2028", "🐙"),
  fc.string({ unit: "grapheme" }),
);
const module = fc.record({ path: field, version: field, sum: field }, { noNullPrototype: true });
const buildInfo: fc.Arbitrary<BuildInfo> = fc.record(
  {
    runtime: field,
    main: module,
    dependencies: fc.array(module, { maxLength: 3 }),
    settings: fc.dictionary(field, field, { maxKeys: 3, noNullPrototype: true }),
  },
  { noNullPrototype: true },
);

test("build information as JSON is protobuf JSON of the Version response, and so is that of a remote server", (t) => {
  const property = fc.property(buildInfo, (buildInfo) => {
    const response = create(VersionResponseSchema, buildInfo);
    const json = toJsonString(VersionResponseSchema, response);
    assert.equal(buildInfoJson(buildInfo), json);
    assert.equal(buildInfoJson({ ...response, main: response.main! }), json);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});
