import { readdir } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { deploymentSample } from "./samples/deployment.ts";
import { gatewaySamples } from "./samples/gateway.ts";
import { kubernetesSamples } from "./samples/kubernetes.ts";
import { monitoringSamples } from "./samples/monitoring.ts";
import { changed } from "./samples/sample.ts";
import { kubeconform, versions } from "./tools.ts";

const samples = [...kubernetesSamples, deploymentSample, ...gatewaySamples, ...monitoringSamples];

test("schemas exist for three minor versions of Kubernetes, and a sample for each schema", async (t) => {
  t.is(new Set(versions.map((version) => version.split(".")[1])).size, 3);
  const kinds = samples.map(({ manifest }) => manifest.kind.toLowerCase()).toSorted();
  for (const version of versions) {
    const folders = [`v${version}`, "custom"].map((folder) => join(import.meta.dirname, "schemas", folder));
    const files = (await Promise.all(folders.map((folder) => readdir(folder)))).flat();
    t.deepEqual(files.map((file) => file.split("-")[0]!).toSorted(), kinds);
  }
});

for (const version of versions) {
  for (const { manifest, unknown, wrong, required } of samples) {
    test(`the schemas reject an invalid ${manifest.kind} of Kubernetes ${version}, as an API server does`, async (t) => {
      const correct = await kubeconform(version, JSON.stringify(manifest));
      t.is(correct.code, 0, correct.stdout);
      t.regex(correct.stdout, / Valid: 1,/);

      const faults = [
        ...unknown.map((path) => [path, {}, `additional properties '${nameOf(path)}' not allowed`] as const),
        ...Object.entries(wrong).map(([path, value]) => [path, value, `at '/${path.replaceAll(".", "/")}': `] as const),
        ...required.map((path) => [path, undefined, `missing property '${nameOf(path)}'`] as const),
      ];
      for (const [path, value, finding] of faults) {
        const { code, stdout } = await kubeconform(version, JSON.stringify(changed(manifest, path, value)));
        t.is(code, 1, `${path}: ${JSON.stringify(value)}`);
        t.true(stdout.includes(finding), stdout);
      }
    });
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

test("a kind without a schema is an error, and so is a duplicate field", async (t) => {
  const [version] = versions;
  const unknown = await kubeconform(version!, "{ apiVersion: v1, kind: Pod, metadata: { name: greeter } }");
  t.is(unknown.code, 1);
  t.regex(unknown.stdout, /could not find schema for Pod/);
  const twice = await kubeconform(version!, "{ apiVersion: v1, kind: Namespace, metadata: { name: a, name: b } }");
  t.is(twice.code, 1);
  t.regex(twice.stdout, /key "name" already set/);
});
