import { block, callHeaders, integer } from "./frames.ts";
import type { Header } from "./frames.ts";
import { boundaries } from "./mutate.ts";
import type { Random } from "./random.ts";

const names = [
  ..."UPPER a\0 \xff :path :status :unknown connection transfer-encoding upgrade te host content-length cookie".split(
    " ",
  ),
  "",
  "a b",
  "x".repeat(300),
];
const values = [
  ..."gzip a\0b \xff\xfe -1 / chunked 99999999999999999999".split(" "),
  "",
  " x ",
  "a\r\nb: c",
  "x".repeat(20_000),
];

/** Returns the headers of a call that violate HTTP/2 (https://www.rfc-editor.org/rfc/rfc9113#section-8.2). */
export const wrongHeaders = (random: Random): Buffer => {
  const right = callHeaders();
  const odd = Array.from({ length: random.between(1, 3) }, (): Header => [random.pick(names), random.pick(values)]);
  if (random.chance(0.5)) right.splice(random.below(right.length), 1);
  right.splice(random.below(right.length + 1), 0, ...odd);
  return block(right, random.pick([0, 0, 0x10, 0x40]));
};

/** Returns HPACK that no encoder would write (https://www.rfc-editor.org/rfc/rfc7541). */
export const wrongHpack = (random: Random): Buffer =>
  random.pick([
    () => integer(7, 0x80, random.pick([0, 62, 63, 200, 0x7fff_ffff, 2 ** 40])),
    () => integer(5, 0x20, random.pick([0, 4096, 4097, 0x7fff_ffff, 2 ** 40])),
    () => Buffer.from([0xff, ...Array.from({ length: 20 }, () => 0xff)]),
    () => Buffer.from([0, 0x81, 0xff, 0x81, random.below(256)]),
    () => Buffer.from([0, 0x84, 0xff, 0xff, 0xff, 0xff, 1, 0x61]),
    () => Buffer.concat([Buffer.from([0x40]), integer(7, 0, random.pick(boundaries)), Buffer.from("abc")]),
    () => random.bytes(random.between(1, 60)),
  ])();

/** Returns a large header in HPACK's table, and many references of one byte to it. */
export const headerBomb = (random: Random): Buffer =>
  Buffer.concat([
    block(callHeaders()),
    block([["bomb", "x".repeat(random.pick([100, 3000, 4000]))]], 0x40),
    Buffer.alloc(random.pick([10, 1000, 15_000]), 0xbe),
  ]);
