type Key = string | number | undefined;

/**
 * Makes a value for some keys when they are first asked for, and remembers it. There must be few of them: nothing is ever forgotten.
 * Each key is looked up by itself, for putting them together into one would cost more than all lookups.
 */
export function remember<Keys extends Key[], Value>(make: (...keys: Keys) => Value): (...keys: Keys) => Value {
  const root = new Map<Key, unknown>();
  return (...keys) => {
    let map = root;
    for (let index = 0; index < keys.length - 1; index++) {
      const next = (map.get(keys[index]) ?? new Map()) as Map<Key, unknown>;
      map.set(keys[index], next);
      map = next;
    }
    const last = keys.at(-1);
    if (!map.has(last)) map.set(last, make(...keys));
    return map.get(last) as Value;
  };
}
