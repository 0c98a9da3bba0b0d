import { metadata, selector } from "./sample.ts";
import type { Sample } from "./sample.ts";

const container = {
  name: "greeter",
  image: "greeter:1.0.0",
  args: ["serve"],
  env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
  ports: [{ name: "grpc", containerPort: 50051 }],
  resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "128Mi", cpu: 1 } },
  readinessProbe: { grpc: { port: 50051 }, periodSeconds: 2 },
  livenessProbe: { httpGet: { path: "/", port: "http" } },
  lifecycle: { preStop: { sleep: { seconds: 5 } } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
  volumeMounts: [{ name: "tls", mountPath: "/tls", readOnly: true }],
};

const pod = {
  serviceAccountName: "greeter",
  terminationGracePeriodSeconds: 30,
  securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway", labelSelector: selector },
  ],
  containers: [container],
  volumes: [{ name: "tls", secret: { secretName: "tls" } }],
};

/** A Deployment whose pod the Pod Security Standard "restricted" admits. */
export const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata,
  spec: {
    replicas: 2,
    selector,
    strategy: { rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
    template: { metadata: { labels: { app: "greeter" } }, spec: pod },
  },
};

export const deploymentSample: Sample = {
  manifest: deployment,
  unknown: [
    "spec.replica",
    "spec.strategy.rollingUpdate.maxsurge",
    "spec.template.spec.securityContext.runAsNonroot",
    "spec.template.spec.securityContext.seccompProfile.typ",
    "spec.template.spec.topologySpreadConstraints.0.maxSkews",
    "spec.template.spec.containers.0.securityContext.readOnlyRootFileSystem",
    "spec.template.spec.containers.0.readinessProbe.grpc.prot",
    "spec.template.spec.containers.0.lifecycle.preStop.sleep.second",
    "spec.template.spec.containers.0.env.0.valueFrom.fieldref",
  ],
  wrong: {
    "spec.replicas": "2",
    "spec.strategy.rollingUpdate.maxSurge": 0.5,
    "spec.template.spec.containers": container,
    "spec.template.spec.containers.0.args": "serve",
    "spec.template.spec.containers.0.readinessProbe.grpc.port": "grpc",
    "spec.template.spec.containers.0.resources.limits.memory": "128MiB",
    "spec.template.spec.securityContext.runAsNonRoot": "true",
    "spec.template.metadata.labels.app": 1,
    "spec.template.spec.volumes.0.emptyDir": null,
  },
  required: [
    "spec",
    "spec.selector",
    "spec.template",
    "spec.template.spec.containers",
    "spec.template.spec.containers.0.name",
    "spec.template.spec.containers.0.volumeMounts.0.mountPath",
    "spec.template.spec.containers.0.readinessProbe.grpc.port",
  ],
};
