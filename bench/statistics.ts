/**
 * Returns a quantile.
 * @param share 0.5 for the median, 0.25 and 0.75 for the quartiles
 */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? NaN;
  return low + (at % 1) * ((sorted[Math.ceil(at)] ?? NaN) - low);
}

export const median = (values: number[]): number => quantile(values, 0.5);
