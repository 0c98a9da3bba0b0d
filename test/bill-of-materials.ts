import type { BuildInfo } from "../src/platform/build-info.ts";

/** Hash of each module in hexadecimal, by its package URL: the form of a bill of materials. */
export type Modules = Record<string, string>;

/** Returns the main component of a CycloneDX document, and the hashes of the others. */
export function modulesIn(json: string): { main: string; others: Modules } {
  const { metadata, components } = JSON.parse(json) as {
    metadata: { component: { purl: string } };
    components: { purl: string; hashes: { alg: string; content: string }[] }[];
  };
  const hash = (hashes: { alg: string; content: string }[]): string =>
    hashes.map(({ alg, content }) => `${alg}:${content}`).join();
  return {
    main: metadata.component.purl,
    others: Object.fromEntries(components.map(({ purl, hashes }) => [purl, hash(hashes)])),
  };
}

/** Converts build information to the same form. */
export function modulesOf({ main, dependencies }: Pick<BuildInfo, "main" | "dependencies">): {
  main: string;
  others: Modules;
} {
  // https://github.com/package-url/purl-spec/blob/main/types-doc/npm-definition.md
  const purl = (path: string, version: string): string => `pkg:npm/${path.replace("@", "%40")}@${version}`;
  const hash = (sum: string): string => {
    const [algorithm = "", digest = ""] = sum.split("-");
    return `${algorithm.replace("sha", "SHA-")}:${Buffer.from(digest, "base64").toString("hex")}`;
  };
  return {
    main: purl(main.path, main.version),
    others: Object.fromEntries(dependencies.map(({ path, version, sum }) => [purl(path, version), hash(sum)])),
  };
}
