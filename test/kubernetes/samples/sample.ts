/** A valid manifest, and changes that make it invalid. */
export interface Sample {
  manifest: { apiVersion: string; kind: string } & Record<string, unknown>;
  /** Paths of unknown fields, most of them misspelt. */
  unknown: string[];
  /** Invalid values, by their paths. */
  wrong: Record<string, unknown>;
  /** Paths of required fields. */
  required: string[];
}

export const metadata = { name: "greeter", namespace: "greeter", labels: { app: "greeter" } };
export const selector = { matchLabels: { app: "greeter" } };

/** Returns a copy of a manifest with a field set, or removed if `value` is undefined. */
export function changed(manifest: object, path: string, value?: unknown): object {
  const copy = structuredClone(manifest);
  const keys = path.split(".");
  const last = keys.pop()!;
  let parent = copy as Record<string, unknown>;
  for (const key of keys) parent = (parent[key] ??= {}) as Record<string, unknown>;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}
