import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import type { EmbeddedBuildInfo } from "../src/platform/build-info.ts";

/** What this reads of a CycloneDX bill of materials (https://cyclonedx.org/docs/1.5/json/). */
interface BillOfMaterials {
  serialNumber?: string;
  metadata: { timestamp?: string; component: { name: string } };
  components: { name: string; version: string; "bom-ref": string }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/**
 * The bill of materials of a build, as CycloneDX in JSON: npm's, of the modules that the build tells of. npm's own --omit=dev leaves out too much:
 * production dependencies that are a peer of one for development.
 * It is the same for every build of one commit, so without the random number, the time and the name of the folder that npm puts in.
 * @param root the folder of package-lock.json
 */
export async function billOfMaterials(
  root: string,
  { main, dependencies, settings }: EmbeddedBuildInfo,
): Promise<string> {
  const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=application", "--package-lock-only"];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: root, maxBuffer: 2 ** 24 });
  const { serialNumber: _, metadata, ...npms } = JSON.parse(stdout) as BillOfMaterials;
  const { timestamp: __, component, ...others } = metadata;

  const modules = new Set(dependencies.map(({ path, version }) => `${path}@${version}`));
  const components = npms.components.filter(({ name, version }) => modules.has(`${name}@${version}`));
  const refs = new Set([`${main.path}@${main.version}`, ...components.map((each) => each["bom-ref"])]);
  const time = settings["vcs.time"];
  const bill = {
    ...npms,
    metadata: { ...(time && { timestamp: time }), ...others, component: { ...component, name: main.path } },
    components,
    dependencies: npms.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) })),
  };
  return `${JSON.stringify({ ...bill, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(bill))}` }, undefined, 1)}\n`;
}

/** A UUID of version 8, which is for those that one makes by oneself (https://www.rfc-editor.org/rfc/rfc9562#section-5.8). */
function uuidOf(text: string): string {
  const hash = createHash("sha256").update(text).digest("hex");
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(12, 15)}`, `8${hash.slice(15, 18)}`];
  return [...parts, hash.slice(18, 30)].join("-");
}
