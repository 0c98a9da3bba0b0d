import assert from "node:assert/strict";
import { create, fromBinary, ScalarType, toBinary } from "@bufbuild/protobuf";
import type { DescMessage } from "@bufbuild/protobuf";
import test from "ava";
import * as fc from "fast-check";
import { file_greeter_v1_greeter as greeterFile } from "../../../src/gen/greeter/v1/greeter_pb.ts";
import { file_health_v1_health as healthFile } from "../../../src/gen/health/v1/health_pb.ts";
import { codecOf } from "../../../src/platform/grpc/codec.ts";

/** Every message that the service has, of texts alone or not. */
const schemas = [...greeterFile.messages, ...healthFile.messages];

/** Halves of surrogate pairs, too, and texts whose length takes one byte, two and three. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("a", "\uFFFD", "\uFEFF", "\uD800", "🐙", "\0", "é") }),
  fc
    .tuple(fc.constantFrom("a", "é", "🐙"), fc.constantFrom(1, 126, 127, 128, 129, 16_383, 16_384))
    .map(([unit, count]) => unit.repeat(count)),
);

/** A message with some of its fields set, those that hold a text. */
function messageOf(schema: DescMessage): fc.Arbitrary<Record<string, string | undefined>> {
  const texts = schema.fields.filter(({ fieldKind, scalar }) => fieldKind === "scalar" && scalar === ScalarType.STRING);
  return fc.record(Object.fromEntries(texts.map(({ localName }) => [localName, text])), { requiredKeys: [] });
}

/** What becomes of bytes, errors among it. */
function outcome(decode: () => object): unknown {
  try {
    return decode();
  } catch (error) {
    return String(error);
  }
}

for (const schema of schemas) {
  const { encode, decode } = codecOf(schema);

  test(`${schema.typeName} becomes the bytes that protobuf-es makes of it`, (t) => {
    const property = fc.property(messageOf(schema), (values) => {
      const expected = Buffer.from(toBinary(schema, create(schema, values)));
      assert.deepEqual(encode(values), expected);
      assert.deepEqual(encode(create(schema, values)), expected);
      assert.deepEqual(decode(expected), fromBinary(schema, expected));
    });
    t.notThrows(() => fc.assert(property));
  });

  test(`whatever bytes come, they are for ${schema.typeName} what they are to protobuf-es`, (t) => {
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
        outcome(() => decode(buffer)),
        outcome(() => fromBinary(schema, buffer)),
      );
    });
    t.notThrows(() => fc.assert(property, { numRuns: 500 }));
  });
}

test("what is no text is refused as protobuf-es refuses it", (t) => {
  for (const schema of schemas.filter(
    ({ fields }) => fields[0]?.fieldKind === "scalar" && fields[0].scalar === ScalarType.STRING,
  )) {
    const wrong = { [schema.fields[0]!.localName]: 5 };
    t.deepEqual(
      outcome(() => codecOf(schema).encode(wrong)),
      outcome(() => Buffer.from(toBinary(schema, create(schema, wrong)))),
    );
  }
});
