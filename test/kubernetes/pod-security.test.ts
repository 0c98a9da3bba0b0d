import test from "ava";
import { deployment } from "./samples/deployment.ts";
import { changed } from "./samples/sample.ts";
import { run } from "./tools.ts";

/** Runs pod-security on manifests. */
function check(...manifests: object[]): ReturnType<typeof run> {
  return run("pod-security", [], manifests.map((manifest) => JSON.stringify(manifest)).join("\n---\n"));
}

const { template } = deployment.spec;

test("pod-security admits a restricted pod of every kind of workload", async (t) => {
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
  t.deepEqual(await check(...manifests), { code: 0, stdout: "Checked 7 pods\n", stderr: "" });
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
  test(`pod-security rejects a pod for its ${path}: ${JSON.stringify(value)}`, async (t) => {
    const inDeployment = await check(changed(deployment, `spec.template.spec.${path}`, value));
    t.is(inDeployment.code, 1);
    t.true(inDeployment.stdout.includes(`Deployment/greeter: ${violation}`), inDeployment.stdout);

    const jobTemplate = { spec: { template: changed(template, `spec.${path}`, value) } };
    const inCronJob = await check({ kind: "CronJob", metadata: { name: "nightly" }, spec: { jobTemplate } });
    t.is(inCronJob.code, 1);
    t.true(inCronJob.stdout.includes(`CronJob/nightly: ${violation}`), inCronJob.stdout);
  });
}

test("pod-security ignores a field in the wrong case, as an API server does", async (t) => {
  const { runAsNonRoot, ...rest } = template.spec.securityContext;
  const misspelt = changed(deployment, "spec.template.spec.securityContext", { ...rest, runasnonroot: runAsNonRoot });
  const { code, stdout } = await check(misspelt);
  t.is(code, 1);
  t.regex(stdout, /^Deployment\/greeter: runAsNonRoot != true: /);
});

test("pod-security fails on manifests without a pod, and on invalid manifests", async (t) => {
  t.deepEqual(await check({ kind: "Service" }), { code: 1, stdout: "Checked 0 pods\n", stderr: "" });
  for (const unreadable of ["{", "- a", "kind: Pod\nkind: Pod", "kind: Pod\nspec: { containers: greeter }"]) {
    const { code, stderr } = await run("pod-security", [], unreadable);
    t.is(code, 2, unreadable);
    t.regex(stderr, /^pod-security: /);
  }
});
