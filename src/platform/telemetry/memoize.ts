/** Memoizes a function of few distinct arguments. Results are kept for ever. */
export function memoize<Keys extends (string | number | undefined)[], Value>(
  make: (...keys: Keys) => Value,
): (...keys: Keys) => Value {
  const made = new Map<string, Value>();
  return (...keys) => {
    const key = keys.join(" ");
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(...keys);
    made.set(key, value);
    return value;
  };
}
