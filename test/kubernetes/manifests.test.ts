import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import type { ExecutionContext } from "ava";
import { parseAllDocuments } from "yaml";
import { settings } from "../../src/cli.ts";
import { readConfig } from "../../src/platform/config/config.ts";
import { blocks, root } from "../docs.ts";
import { kubeconform, run, versions } from "./tools.ts";

const kubernetes = join(root, "deploy/kubernetes");
const overlays = await readdir(join(kubernetes, "overlays"));
const renderings = ["base", ...overlays.map((overlay) => `overlays/${overlay}`)];
const kubectl = await promisify(execFile)("kubectl", ["version", "--client"]).then(
  () => true,
  () => false,
);
const config = readConfig(settings, {}, { env: {}, terminal: false });

/** Any manifest of Kubernetes. */
// oxlint-disable-next-line typescript/no-explicit-any -- the schemas of Kubernetes have validated it
type Manifest = any;

async function render(folder: string): Promise<{ text: string; find: (kind: string, name?: string) => Manifest }> {
  const { code, stdout, stderr } = await run("kustomize", ["build", folder]);
  if (code !== 0) throw new Error(stderr);
  const manifests = parseAllDocuments(stdout).map((document): Manifest => document.toJS());
  return {
    text: stdout,
    find: (kind, name = "greeter") => {
      const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
      if (found.length !== 1) throw new Error(`Expected one ${kind}/${name}, got ${found.length}`);
      return found[0];
    },
  };
}

/** Writes the overlay of the documentation's example to a folder, with more components. */
async function exampleOverlay(t: ExecutionContext, ...components: string[]): Promise<string> {
  const folder = await mkdtemp(join(import.meta.dirname, ".installed/overlay-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const example = blocks("yaml").find((block) => block.startsWith("# kustomization.yaml\n")) ?? "";
  const more = components.map((component) => `  - ../greeter/deploy/kubernetes/components/${component}\n`).join("");
  const overlay = example.replace(/^images:/m, `${more}images:`).replaceAll("../greeter", relative(folder, root));
  await writeFile(join(folder, "kustomization.yaml"), overlay);
  return folder;
}

async function assertValid(t: ExecutionContext, text: string): Promise<void> {
  const count = parseAllDocuments(text).length;
  for (const version of versions) {
    const { code, stdout } = await kubeconform(version, text);
    t.is(code, 0, `Kubernetes ${version}: ${stdout}`);
    t.true(stdout.includes(`Valid: ${count},`), stdout);
  }
  t.deepEqual(await run("pod-security", [], text), { code: 0, stdout: "Checked 1 pods\n", stderr: "" });
}

for (const rendering of renderings) {
  test(`${rendering} is valid for every version of Kubernetes and for the pod security standard restricted`, async (t) => {
    await assertValid(t, (await render(join(kubernetes, rendering))).text);
  });
}

test("the documentation's example is valid with every component", async (t) => {
  const { text, find } = await render(await exampleOverlay(t, "tls"));
  await assertValid(t, text);
  for (const [kind, name] of [
    ["HTTPRoute"],
    ["GRPCRoute"],
    ["ServiceMonitor"],
    ["PrometheusRule"],
    ["Service", "greeter-headless"],
  ] as const) {
    t.is(find(kind, name).metadata.namespace, "greeter");
  }
  const [container] = find("Deployment").spec.template.spec.containers;
  t.regex(container.image, /^registry\.example\.com\/greeter@sha256:[0-9a-f]{64}$/);
  const components = await readdir(join(kubernetes, "components"));
  t.deepEqual(components.toSorted(), overlays.toSorted());
});

if (kubectl) {
  test("kubectl kustomize renders the same manifests", async (t) => {
    for (const rendering of renderings) {
      const { stdout } = await promisify(execFile)("kubectl", ["kustomize", join(kubernetes, rendering)], {
        maxBuffer: 2 ** 24,
      });
      const manifests = (text: string): unknown[] =>
        parseAllDocuments(text).map((document): unknown => document.toJS());
      t.deepEqual(manifests(stdout), manifests((await render(join(kubernetes, rendering))).text));
    }
  });
}

test("the image has the version of package.json", async (t) => {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  const [container] = (await render(join(kubernetes, "base"))).find("Deployment").spec.template.spec.containers;
  t.is(container.image, `greeter:${version}`);
});

test("every selector matches exactly the labels of the pods", async (t) => {
  const { find } = await render(await exampleOverlay(t));
  const { selector, template } = find("Deployment").spec;
  const labels = { "app.kubernetes.io/name": "greeter" };
  t.deepEqual(template.metadata.labels, labels);
  t.deepEqual(selector, { matchLabels: labels });
  t.deepEqual(find("PodDisruptionBudget").spec.selector, { matchLabels: labels });
  t.deepEqual(find("NetworkPolicy").spec.podSelector, { matchLabels: labels });
  for (const constraint of template.spec.topologySpreadConstraints)
    t.deepEqual(constraint.labelSelector, { matchLabels: labels });
  for (const name of ["greeter", "greeter-headless", "greeter-admin"])
    t.deepEqual(find("Service", name).spec.selector, labels);
  const { scaleTargetRef } = find("HorizontalPodAutoscaler").spec;
  t.deepEqual(scaleTargetRef, { apiVersion: "apps/v1", kind: "Deployment", name: "greeter" });
});

test("every port is a default of the service, and every reference to a port has its name", async (t) => {
  const { find } = await render(await exampleOverlay(t));
  const [{ ports, ...container }] = find("Deployment").spec.template.spec.containers;
  t.deepEqual(ports, [
    { name: "http", containerPort: config.addr.port },
    { name: "grpc", containerPort: config.grpcAddr.port },
    { name: "admin", containerPort: config.adminAddr.port },
  ]);
  const named = new Set(ports.map(({ name }: Manifest) => name));
  for (const probe of ["startupProbe", "livenessProbe"]) t.true(named.has(container[probe].httpGet.port), probe);
  for (const name of ["greeter", "greeter-headless", "greeter-admin"]) {
    for (const port of find("Service", name).spec.ports) t.is(port.targetPort, port.name);
  }
  const [open, monitored] = find("NetworkPolicy").spec.ingress;
  t.deepEqual(open, { ports: [{ port: "http" }, { port: "grpc" }] });
  t.deepEqual(monitored.ports, [{ port: "admin" }]);
  t.deepEqual(Object.keys(monitored.from[0]), ["namespaceSelector"]);
});

test("without TLS, the readiness probe uses gRPC, and every port has its appProtocol", async (t) => {
  const { find } = await render(join(kubernetes, "base"));
  const [container] = find("Deployment").spec.template.spec.containers;
  t.deepEqual(container.readinessProbe.grpc, { port: config.grpcAddr.port });
  t.deepEqual(
    find("Service").spec.ports.map(({ name, appProtocol }: Manifest) => [name, appProtocol]),
    [
      ["http", "http"],
      ["grpc", "kubernetes.io/h2c"],
    ],
  );
});

test("the drain fits into the termination grace period, and a pod stops only after its successor is ready", async (t) => {
  const { spec } = (await render(join(kubernetes, "base"))).find("Deployment");
  t.true(spec.template.spec.terminationGracePeriodSeconds * 1000 > config.drainDelay + config.drainTimeout);
  t.is(spec.strategy.rollingUpdate.maxUnavailable, 0);
  // Each apply would reset the autoscaler's number of replicas.
  t.false("replicas" in spec);
  // The readiness probe fails before the ports close, so that no caller connects to a closed port.
  const { periodSeconds, failureThreshold } = spec.template.spec.containers[0].readinessProbe;
  t.true(periodSeconds * failureThreshold * 1000 <= config.drainDelay);
});

for (const [title, components] of [
  ["without TLS", []],
  ["with TLS", ["tls"]],
] as const) {
  test(`routes ${title} refer to existing ports, with a host name for each protocol`, async (t) => {
    const { find } = await render(await exampleOverlay(t, ...components));
    const ports = new Map<number, string>(find("Service").spec.ports.map(({ port, name }: Manifest) => [port, name]));
    const routes = ["HTTPRoute", "GRPCRoute"].map((kind) => find(kind).spec);
    t.deepEqual(
      routes.map(({ rules }) => ports.get(rules[0].backendRefs[0].port)),
      ["http", "grpc"],
    );
    t.deepEqual(
      routes.map(({ parentRefs }) => parentRefs),
      [[{ name: "public", namespace: "gateways" }], [{ name: "public", namespace: "gateways" }]],
    );
    // A Gateway rejects the second of two routes of different kinds for one host name.
    t.is(new Set(routes.flatMap(({ hostnames }) => hostnames)).size, 2);
  });
}

test("with TLS, the settings name files of the secret, and every probe uses the admin port", async (t) => {
  const { find } = await render(join(kubernetes, "overlays/tls"));
  const { containers, volumes } = find("Deployment").spec.template.spec;
  const env = Object.fromEntries(containers[0].env.map(({ name, value }: Manifest) => [name, value]));
  t.is(volumes[0].secret.secretName, "greeter-tls");
  const [mount] = containers[0].volumeMounts;
  t.is(mount.name, volumes[0].name);
  const { tlsCert, tlsKey } = readConfig(settings, {}, { env, terminal: false });
  t.is(tlsCert, `${mount.mountPath}/tls.crt`);
  t.is(tlsKey, `${mount.mountPath}/tls.key`);
  for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"])
    t.is(containers[0][probe].httpGet.port, "admin");
  t.deepEqual(
    find("Service").spec.ports.map(({ port, appProtocol }: Manifest) => [port, appProtocol]),
    [
      [8080, "https"],
      [50051, "https"],
    ],
  );
});

test("the monitoring overlay scrapes the admin port, and has the alerts and the dashboard of deploy/monitoring", async (t) => {
  const { find } = await render(join(kubernetes, "overlays/monitoring"));
  const { selector, endpoints, jobLabel } = find("ServiceMonitor").spec;
  const service = find("Service", "greeter-admin");
  t.like(service.metadata.labels, selector.matchLabels);
  t.is(service.metadata.labels[jobLabel], "greeter");
  t.deepEqual(
    endpoints.map(({ port }: Manifest) => port),
    service.spec.ports.map(({ name }: Manifest) => name),
  );
  // The ServiceMonitor does not match the service for callers.
  t.false(Object.keys(selector.matchLabels).every((label) => label in find("Service").metadata.labels));

  const [alerts] = parseAllDocuments(await readFile(join(root, "deploy/monitoring/alerts.yaml"), "utf8"));
  t.deepEqual(find("PrometheusRule").spec, alerts!.toJS());
  const dashboard = await readFile(join(root, "deploy/monitoring/dashboard.json"), "utf8");
  t.is(find("ConfigMap", "greeter-dashboard").data["greeter.json"], dashboard);
});
