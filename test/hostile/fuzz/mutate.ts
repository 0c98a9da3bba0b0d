import type { Random } from "./random.ts";

/** Boundary values of lengths, counts and ids. */
export const boundaries = [
  0, 1, 2, 3, 4, 5, 8, 9, 0x7f, 0x80, 0xff, 0x100, 0x3fff, 0x4000, 0x4001, 0xffff, 0x1_0000, 0x1_0001, 0xff_ffff,
  0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff,
];

type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** Returns the start and the end of a random part of the bytes. */
function part(bytes: Buffer, random: Random): [start: number, end: number] {
  const start = random.below(bytes.length);
  return [start, Math.min(bytes.length, start + random.between(1, 64))];
}

const mutations: Mutation[] = [
  function flip(bytes, random) {
    const changed = Buffer.from(bytes);
    const position = random.below(bytes.length);
    changed[position]! ^= 1 << random.below(8);
    return changed;
  },
  function replace(bytes, random) {
    const changed = Buffer.from(bytes);
    changed[random.below(bytes.length)] = random.pick([0, 9, 10, 13, 32, 0x7f, 0x80, 0xff, random.below(256)]);
    return changed;
  },
  function boundaryNumber(bytes, random) {
    const changed = Buffer.from(bytes);
    const size = random.pick([1, 2, 3, 4]);
    if (bytes.length < size) return changed;
    changed.writeUIntBE(random.pick(boundaries) % 2 ** (8 * size), random.below(bytes.length - size + 1), size);
    return changed;
  },
  function cut(bytes, random) {
    const [start, end] = part(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length));
  },
  function duplicate(bytes, random) {
    const [start, end] = part(bytes, random);
    const copies = Array.from({ length: random.between(2, 20) }, () => bytes.subarray(start, end));
    return Buffer.concat([bytes.subarray(0, start), ...copies, bytes.subarray(end)]);
  },
  function splice(bytes, random) {
    const [start, end] = part(bytes, random);
    const position = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, position), bytes.subarray(start, end), bytes.subarray(position)]);
  },
  function insert(bytes, random) {
    const position = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, position), random.bytes(random.between(1, 16)), bytes.subarray(position)]);
  },
];

/** Returns valid bytes with a few mutations, because only almost valid input reaches most of a parser. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let mutated = bytes;
  for (let count = random.between(1, 4); count > 0 && mutated.length > 0; count--) {
    mutated = random.pick(mutations)(mutated, random);
  }
  return mutated;
}

/** Splits bytes at random positions, because a parser must be able to pause anywhere. */
export function split(bytes: Buffer, random: Random): Buffer[] {
  const cuts = Array.from({ length: random.below(5) }, () => random.below(bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...cuts].map((start, index) => bytes.subarray(start, cuts[index] ?? bytes.length));
}
