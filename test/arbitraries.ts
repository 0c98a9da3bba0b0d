import * as fc from "fast-check";
import type { BuildInfo } from "../src/platform/build-info.ts";

/** Any code point, and halves of surrogate pairs. fast-check's own "binary" strings take a second to create. */
export const character = fc
  .oneof(fc.nat(0xff), fc.nat(0xffff), fc.nat(0x10ffff))
  .map((code) => String.fromCodePoint(code));

/** Build information whose texts are the given ones. */
export function buildInfoOf(text: fc.Arbitrary<string>): fc.Arbitrary<BuildInfo> {
  const module = fc.record({ path: text, version: text, sum: text }, { noNullPrototype: true });
  return fc.record(
    {
      runtime: text,
      main: module,
      dependencies: fc.array(module, { maxLength: 4 }),
      settings: fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true }),
    },
    { noNullPrototype: true },
  );
}
