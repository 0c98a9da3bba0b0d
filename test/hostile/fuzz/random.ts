/** Pseudorandom values, which are the same for the same seed and case, so that every case can be repeated. */
export interface Random {
  /** Returns an integer from 0 to below `end`. */
  below(end: number): number;
  /** Returns an integer from `first` to `last`. */
  between(first: number, last: number): number;
  /** Returns true with a probability of 0 to 1. */
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  bytes(length: number): Buffer;
}

/** Creates a generator for one case: Mulberry32 (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
export function randomOf(seed: number, index: number): Random {
  // Neighboring indices give distant states.
  let state = (seed ^ Math.imul(index + 1, 0x9e3779b1)) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  };
  const below = (end: number): number => Math.floor((next() / 2 ** 32) * end);
  return {
    below,
    between: (first, last) => first + below(last - first + 1),
    chance: (probability) => next() / 2 ** 32 < probability,
    pick: (items) => items[below(items.length)]!,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
