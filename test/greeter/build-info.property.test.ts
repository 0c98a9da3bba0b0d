import assert from "node:assert/strict";
import { create, toJsonString } from "@bufbuild/protobuf";
import test from "ava";
import * as fc from "fast-check";
import { VersionResponseSchema } from "../../src/gen/greeter/v1/greeter_pb.ts";
import { buildInfoJson } from "../../src/platform/build-info.ts";
import { buildInfoOf } from "../arbitraries.ts";

/** Texts with the empty one, escapes, names of Object.prototype, and code points beyond the BMP. */
const field = fc.oneof(
  fc.constantFrom("", "1", "constructor", "toString", "a\tb", '"', "\\", "\u2028", "🐙"),
  fc.string({ unit: "grapheme" }),
);
const buildInfo = buildInfoOf(field);

test("build information as JSON is protobuf JSON of the Version response, and so is that of a remote server", (t) => {
  const property = fc.property(buildInfo, (buildInfo) => {
    const response = create(VersionResponseSchema, buildInfo);
    const json = toJsonString(VersionResponseSchema, response);
    assert.equal(buildInfoJson(buildInfo), json);
    assert.equal(buildInfoJson({ ...response, main: response.main! }), json);
  });
  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});
