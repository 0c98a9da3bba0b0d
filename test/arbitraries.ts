import * as fc from "fast-check";

/** Any code point, and halves of surrogate pairs. fast-check's own "binary" strings take a second to create. */
export const character = fc
  .oneof(fc.nat(0xff), fc.nat(0xffff), fc.nat(0x10ffff))
  .map((code) => String.fromCodePoint(code));
