import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import type { EmbeddedBuildInfo } from "../src/platform/build-info.ts";

/** The fields of a CycloneDX bill of materials that are read here (https://cyclonedx.org/docs/1.5/json/). */
interface BillOfMaterials {
  serialNumber?: string;
  metadata: { timestamp?: string; component: { name: string } };
  components: { name: string; version: string; "bom-ref": string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/**
 * Creates the bill of materials of a build, as CycloneDX in JSON: the output of `npm sbom`, reduced to the modules of the build information.
 * npm's --omit=dev also omits production dependencies that are peers of a development dependency.
 *
 * Every build of a commit gives the same bytes: npm's random serial number, time and folder name are replaced.
 * @param root folder of package-lock.json
 */
export async function billOfMaterials(
  root: string,
  { main, dependencies, settings }: EmbeddedBuildInfo,
): Promise<string> {
  const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=application", "--package-lock-only"];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: root, maxBuffer: 2 ** 24 });
  const { serialNumber: _, metadata, ...rest } = JSON.parse(stdout) as BillOfMaterials;
  const { timestamp: __, component, ...others } = metadata;

  const modules = new Set(dependencies.map(({ path, version }) => `${path}@${version}`));
  const components = rest.components.filter(({ name, version }) => modules.has(`${name}@${version}`));
  const refs = new Set([`${main.path}@${main.version}`, ...components.map((each) => each["bom-ref"])]);
  const time = settings["vcs.time"];
  const bill = {
    ...rest,
    metadata: { ...(time && { timestamp: time }), ...others, component: { ...component, name: main.path } },
    components,
    dependencies: rest.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) })),
  };
  return `${JSON.stringify({ ...bill, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(bill))}` }, undefined, 1)}\n`;
}

/** Returns a UUID of version 8, the version for vendor-specific formats (https://www.rfc-editor.org/rfc/rfc9562#section-5.8). */
function uuidOf(text: string): string {
  const hash = createHash("sha256").update(text).digest("hex");
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(12, 15)}`, `8${hash.slice(15, 18)}`];
  return [...parts, hash.slice(18, 30)].join("-");
}
