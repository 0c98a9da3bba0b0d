import test from "ava";
import { deployment } from "./samples/deployment.ts";
import { changed } from "./samples/sample.ts";
import { run } from "./tools.ts";

/** What pod-security says of manifests, each of them a document. */
function judge(...manifests: object[]): ReturnType<typeof run> {
  return run("pod-security", [], manifests.map((manifest) => JSON.stringify(manifest)).join("\n---\n"));
}

const { template } = deployment.spec;

test("a pod that holds to the standard is admitted, whatever it is a part of", async (t) => {
  const service = { apiVersion: "v1", kind: "Service", metadata: { name: "greeter" } };
  const manifests = [
    service,
    deployment,
    { kind: "Pod", ...template },
    { kind: "PodTemplate", template },
    { kind: "StatefulSet", spec: { template } },
    { kind: "DaemonSet", spec: { template } },
    { kind: "Job", spec: { template } },
    { kind: "CronJob", spec: { jobTemplate: { spec: { template } } } },
  ];
  t.deepEqual(await judge(...manifests), { code: 0, stdout: "Checked 7 pods\n", stderr: "" });
});

const security = "securityContext";
const container = "containers.0.securityContext";

for (const [path, value, violation] of [
  [`${security}.seccompProfile`, undefined, 'seccompProfile: pod or container "greeter" must set'],
  [`${security}.runAsNonRoot`, undefined, 'runAsNonRoot != true: pod or container "greeter" must set'],
  [`${security}.runAsUser`, 0, "runAsUser=0: pod must not set"],
  [
    "volumes.0",
    { name: "tls", hostPath: { path: "/" } },
    'restricted volume types: volume "tls" uses restricted volume type "hostPath"',
  ],
  ["hostNetwork", true, "host namespaces: hostNetwork=true"],
  [`${container}.allowPrivilegeEscalation`, undefined, 'allowPrivilegeEscalation != false: container "greeter" must'],
  [`${container}.privileged`, true, 'privileged: container "greeter" must not set'],
  [`${container}.capabilities.drop`, [], 'unrestricted capabilities: container "greeter" must set'],
  ["initContainers", [{ name: "first" }], 'unrestricted capabilities: container "first" must set'],
] as const) {
  test(`a pod is refused for its ${path}: ${JSON.stringify(value)}`, async (t) => {
    const inDeployment = await judge(changed(deployment, `spec.template.spec.${path}`, value));
    t.is(inDeployment.code, 1);
    t.true(inDeployment.stdout.includes(`Deployment/greeter: ${violation}`), inDeployment.stdout);

    const jobTemplate = { spec: { template: changed(template, `spec.${path}`, value) } };
    const inCronJob = await judge({ kind: "CronJob", metadata: { name: "nightly" }, spec: { jobTemplate } });
    t.is(inCronJob.code, 1);
    t.true(inCronJob.stdout.includes(`CronJob/nightly: ${violation}`), inCronJob.stdout);
  });
}

test("a field in the wrong case is none, as it is to an API server", async (t) => {
  const { runAsNonRoot, ...rest } = template.spec.securityContext;
  const misspelt = changed(deployment, "spec.template.spec.securityContext", { ...rest, runasnonroot: runAsNonRoot });
  const { code, stdout } = await judge(misspelt);
  t.is(code, 1);
  t.regex(stdout, /^Deployment\/greeter: runAsNonRoot != true: /);
});

test("manifests without a pod are a failure, and what can't be read is another", async (t) => {
  t.deepEqual(await judge({ kind: "Service" }), { code: 1, stdout: "Checked 0 pods\n", stderr: "" });
  for (const unreadable of ["{", "- a", "kind: Pod\nkind: Pod", "kind: Pod\nspec: { containers: greeter }"]) {
    const { code, stderr } = await run("pod-security", [], unreadable);
    t.is(code, 2, unreadable);
    t.regex(stderr, /^pod-security: /);
  }
});
