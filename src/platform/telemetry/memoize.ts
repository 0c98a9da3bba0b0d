type Key = string | number | undefined;

/**
 * Makes a value for some keys when they are first asked for, and remembers it. There must be few of them: nothing is ever forgotten.
 * Each key is looked up by itself, for putting them together into one would cost more than all lookups; and what was asked for last is
 * mostly asked for again.
 */
export function remember<Keys extends Key[], Value>(make: (...keys: Keys) => Value): (...keys: Keys) => Value {
  const root = new Map<Key, unknown>();
  let lastKeys: Keys | undefined;
  let lastValue: Value;
  return (...keys) => {
    if (lastKeys === undefined || !equal(keys, lastKeys)) {
      lastValue = lookUp(root, keys, make);
      lastKeys = keys;
    }
    return lastValue;
  };
}

function equal(keys: Key[], others: Key[]): boolean {
  for (let index = 0; index < keys.length; index++) if (keys[index] !== others[index]) return false;
  return true;
}

function lookUp<Keys extends Key[], Value>(root: Map<Key, unknown>, keys: Keys, make: (...keys: Keys) => Value): Value {
  let map = root;
  for (let index = 0; index < keys.length - 1; index++) {
    const next = (map.get(keys[index]) ?? new Map()) as Map<Key, unknown>;
    map.set(keys[index], next);
    map = next;
  }
  const last = keys.at(-1);
  if (!map.has(last)) map.set(last, make(...keys));
  return map.get(last) as Value;
}
