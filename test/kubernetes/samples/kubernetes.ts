import { metadata, selector } from "./sample.ts";
import type { Sample } from "./sample.ts";

export const kubernetesSamples: Sample[] = [
  {
    manifest: { apiVersion: "v1", kind: "Namespace", metadata: { name: "greeter", labels: { a: "b" } } },
    unknown: ["metadata.label", "spec.finalizer"],
    wrong: { "metadata.labels.a": 1, "metadata.creationTimestamp": "yesterday" },
    required: ["metadata", "metadata.name"],
  },
  {
    manifest: { apiVersion: "v1", kind: "ServiceAccount", metadata, automountServiceAccountToken: false },
    unknown: ["automountServiceaccountToken", "spec"],
    wrong: { automountServiceAccountToken: "false" },
    required: ["metadata.name"],
  },
  {
    manifest: { apiVersion: "v1", kind: "ConfigMap", metadata, data: { PORT: "80" } },
    unknown: ["datum", "spec"],
    wrong: { "data.PORT": 80, "binaryData.a": "not base64", immutable: "yes" },
    required: ["metadata.name"],
  },
  {
    manifest: {
      apiVersion: "v1",
      kind: "Secret",
      metadata,
      type: "Opaque",
      data: { a: "YQ==" },
      stringData: { b: "b" },
    },
    unknown: ["stringdata"],
    wrong: { "data.a": "a", "stringData.b": true },
    required: ["metadata.name"],
  },
  {
    manifest: {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        clusterIP: "None",
        selector: { app: "greeter" },
        ports: [{ name: "grpc", port: 80, targetPort: "grpc", appProtocol: "kubernetes.io/h2c" }],
      },
    },
    unknown: ["spec.ports.0.targetport", "spec.clusterIp", "status"],
    wrong: { "spec.ports.0.port": "80", "spec.ports.0.targetPort": true, "spec.selector.app": 1 },
    required: ["spec.ports.0.port"],
  },
  {
    manifest: { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata, spec: { maxUnavailable: 1, selector } },
    unknown: ["spec.maxUnavailible", "spec.selector.matchlabels"],
    wrong: { "spec.maxUnavailable": true, "spec.selector": "greeter" },
    required: ["metadata.name"],
  },
  {
    manifest: {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata,
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "greeter" },
        minReplicas: 2,
        maxReplicas: 10,
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } } },
        ],
        behavior: {
          scaleDown: { stabilizationWindowSeconds: 300, policies: [{ type: "Pods", value: 1, periodSeconds: 60 }] },
        },
      },
    },
    unknown: [
      "spec.behaviour",
      "spec.behavior.scaledown",
      "spec.behavior.scaleDown.stabilisationWindowSeconds",
      "spec.behavior.scaleDown.policies.0.periodSecond",
      "spec.metrics.0.resource.target.averageUtilisation",
    ],
    wrong: {
      "spec.maxReplicas": "10",
      "spec.behavior.scaleDown.policies.0.value": "1",
      "spec.metrics.0.resource.target.averageValue": "70 m",
    },
    required: [
      "spec",
      "spec.maxReplicas",
      "spec.scaleTargetRef",
      "spec.scaleTargetRef.kind",
      "spec.behavior.scaleDown.policies.0.periodSeconds",
      "spec.metrics.0.resource.target.type",
    ],
  },
  {
    manifest: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata,
      spec: {
        podSelector: selector,
        policyTypes: ["Ingress", "Egress"],
        ingress: [
          { from: [{ namespaceSelector: {} }, { ipBlock: { cidr: "10.0.0.0/8" } }], ports: [{ port: "grpc" }] },
        ],
        egress: [],
      },
    },
    unknown: ["spec.policyType", "spec.ingress.0.form", "spec.ingress.0.from.0.namespaceselector"],
    wrong: { "spec.policyTypes": "Ingress", "spec.ingress.0.ports.0.port": {}, "spec.egress": {} },
    required: ["metadata.name", "spec.ingress.0.from.1.ipBlock.cidr"],
  },
];
