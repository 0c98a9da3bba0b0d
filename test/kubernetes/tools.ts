import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const schemas = join(import.meta.dirname, "schemas");

/** Versions of Kubernetes with schemas, such as 1.37.2: the newest of each minor version. */
export const versions = readdirSync(schemas).flatMap((name) => (/^v\d/.test(name) ? [name.slice(1)] : []));

/** Runs a tool of `test/kubernetes/install`, and resolves with its exit code and its output. */
export async function run(
  tool: "kubeconform" | "kustomize" | "pod-security",
  args: string[],
  input = "",
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(join(import.meta.dirname, ".installed", tool), args);
  const ended = new Promise<number>((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", (cause) => reject(new Error(`Cannot run ${tool}: expected test/kubernetes/install`, { cause })));
  });
  // It may end before it has read all input. Its exit code then gives the reason.
  child.stdin.on("error", () => {}).end(input);
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** Validates manifests for a version of Kubernetes. A kind without a schema is an error. */
export function kubeconform(version: string, manifests: string): ReturnType<typeof run> {
  const locations = ["{{.NormalizedKubernetesVersion}}", "custom"].flatMap((folder) => [
    "-schema-location",
    join(schemas, folder, "{{.ResourceKind}}{{.KindSuffix}}.json"),
  ]);
  return run("kubeconform", ["-strict", "-summary", "-kubernetes-version", version, ...locations], manifests);
}
