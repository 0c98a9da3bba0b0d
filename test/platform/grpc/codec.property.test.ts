import assert from "node:assert/strict";
import { create, fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import type { DescMessage } from "@bufbuild/protobuf";
import { MixinSchema } from "@bufbuild/protobuf/wkt";
import test from "ava";
import * as fc from "fast-check";
import { file_health_v1_health as healthFile } from "../../../src/gen/health/v1/health_pb.ts";
import { codecOf } from "../../../src/platform/grpc/codec.ts";
import { file_fixture_v1_item as fixtureFile } from "../../fixtures/gen/fixture/v1/item_pb.ts";

/** Messages with string fields only, with one or several of them, and other messages. */
const schemas = [...fixtureFile.messages, ...healthFile.messages, MixinSchema];

/** Strings with unpaired surrogates, and strings whose length takes one, two and three bytes. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("a", "\uFFFD", "\uFEFF", "\uD800", "🐙", "\0", "é") }),
  fc
    .tuple(fc.constantFrom("a", "é", "🐙"), fc.constantFrom(1, 126, 127, 128, 129, 16_383, 16_384))
    .map(([unit, count]) => unit.repeat(count)),
);

/** Generates values for some of the string fields of a message. */
function messageOf(schema: DescMessage): fc.Arbitrary<Record<string, string | undefined>> {
  const strings = schema.fields.filter(
    ({ fieldKind, scalar }) => fieldKind === "scalar" && scalar === ScalarType.STRING,
  );
  return fc.record(Object.fromEntries(strings.map(({ localName }) => [localName, text])), { requiredKeys: [] });
}

/** Returns the result of a function, or the text of its error. */
function resultOf(convert: () => object): unknown {
  try {
    return convert();
  } catch (error) {
    return String(error);
  }
}

for (const schema of schemas) {
  const { encode, decode } = codecOf(schema);

  test(`the codec encodes ${schema.typeName} as protobuf-es does`, (t) => {
    const property = fc.property(messageOf(schema), (values) => {
      const expected = Buffer.from(toBinary(schema, create(schema, values)));
      assert.deepEqual(encode(values), expected);
      assert.deepEqual(encode(create(schema, values)), expected);
      assert.deepEqual(decode(expected), fromBinary(schema, expected));
    });
    t.notThrows(() => fc.assert(property));
  });

  test(`the codec decodes any bytes as protobuf-es does for ${schema.typeName}`, (t) => {
    const byte = fc.oneof(
      fc.constantFrom(0x0a, 0x12, 0x1a, 0x08, 0, 1, 2, 3, 0x80, 0x81, 0xff, 0x61, 0xc3, 0xa9),
      fc.nat(255),
    );
    const valid = messageOf(schema).map((values) => [...toBinary(schema, create(schema, values))]);
    const bytes = fc.oneof(
      fc.array(byte, { maxLength: 12 }),
      fc.tuple(valid, fc.array(byte, { maxLength: 4 })).map(([whole, rest]) => [...whole, ...rest]),
      fc.tuple(valid, fc.nat(20)).map(([whole, cut]) => whole.slice(0, -cut)),
    );
    const property = fc.property(bytes, (values) => {
      const buffer = Buffer.from(values);
      assert.deepEqual(
        resultOf(() => decode(buffer)),
        resultOf(() => fromBinary(schema, buffer)),
      );
    });
    t.notThrows(() => fc.assert(property, { numRuns: 500 }));
  });
}

test("the codec rejects a value that is no string as protobuf-es does", (t) => {
  for (const schema of schemas.filter(
    ({ fields }) => fields[0]?.fieldKind === "scalar" && fields[0].scalar === ScalarType.STRING,
  )) {
    const wrong = { [schema.fields[0]!.localName]: 5 };
    t.deepEqual(
      resultOf(() => codecOf(schema).encode(wrong)),
      resultOf(() => Buffer.from(toBinary(schema, create(schema, wrong)))),
    );
  }
});
