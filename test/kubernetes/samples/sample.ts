/** A manifest of a kind that is correct, and changes by which it is not. */
export interface Sample {
  manifest: { apiVersion: string; kind: string } & Record<string, unknown>;
  /** Paths of fields that there are not, most of them misspelt. */
  unknown: string[];
  /** Values of a wrong type, or that the type doesn't have, by their paths. */
  wrong: Record<string, unknown>;
  /** Paths of fields that must be there. */
  required: string[];
}

export const metadata = { name: "greeter", namespace: "greeter", labels: { app: "greeter" } };
export const selector = { matchLabels: { app: "greeter" } };

/** The manifest with the field at a path set, or left out where there is no value. */
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
