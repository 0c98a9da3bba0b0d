import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const schemas = join(import.meta.dirname, "schemas");

/** The versions of Kubernetes that there are schemas of, such as 1.37.2: the newest of each minor. */
export const versions = readdirSync(schemas).flatMap((name) => (/^v\d/.test(name) ? [name.slice(1)] : []));

/** Runs one of the tools that `test/kubernetes/install` installs, and tells how it ended and what it wrote. */
export async function run(
  tool: "kubeconform" | "kustomize" | "pod-security",
  args: string[],
  input = "",
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(join(import.meta.dirname, ".installed", tool), args);
  const ended = new Promise<number>((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", (cause) => reject(new Error(`Can't run ${tool}: run test/kubernetes/install first`, { cause })));
  });
  // It may have ended before it has read everything; its exit code tells why.
  child.stdin.on("error", () => {}).end(input);
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** Whether a version of Kubernetes takes the manifests; a kind that there is no schema of is an error. */
export function kubeconform(version: string, manifests: string): ReturnType<typeof run> {
  const locations = ["{{.NormalizedKubernetesVersion}}", "custom"].flatMap((folder) => [
    "-schema-location",
    join(schemas, folder, "{{.ResourceKind}}{{.KindSuffix}}.json"),
  ]);
  return run("kubeconform", ["-strict", "-summary", "-kubernetes-version", version, ...locations], manifests);
}
