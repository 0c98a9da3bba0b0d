import { metadata, selector } from "./sample.ts";
import type { Sample } from "./sample.ts";

const apiVersion = "monitoring.coreos.com/v1";

export const monitoringSamples: Sample[] = [
  {
    manifest: {
      apiVersion,
      kind: "ServiceMonitor",
      metadata,
      spec: {
        selector,
        endpoints: [
          {
            port: "metrics",
            interval: "15s",
            scheme: "https",
            tlsConfig: { ca: { configMap: { name: "ca", key: "ca.crt" } }, serverName: "greeter" },
            relabelings: [{ sourceLabels: ["a"], targetLabel: "b", action: "replace" }],
          },
        ],
      },
    },
    unknown: [
      "spec.endpoints.0.intervall",
      "spec.endpoints.0.tlsConfig.servername",
      "spec.endpoints.0.relabelings.0.label",
    ],
    wrong: {
      "spec.endpoints": {},
      "spec.endpoints.0.port": 9090,
      "spec.endpoints.0.interval": "15 seconds",
      "spec.endpoints.0.relabelings.0.action": "rename",
    },
    required: [
      "spec",
      "spec.selector",
      "spec.endpoints",
      "metadata.name",
      "spec.endpoints.0.tlsConfig.ca.configMap.key",
    ],
  },
  {
    manifest: {
      apiVersion,
      kind: "PodMonitor",
      metadata,
      spec: { selector, podMetricsEndpoints: [{ port: "metrics", path: "/metrics" }] },
    },
    unknown: ["spec.podMetricEndpoints", "spec.podMetricsEndpoints.0.paths"],
    wrong: { "spec.podMetricsEndpoints.0.honorLabels": "true", "spec.jobLabel": 1 },
    required: ["spec", "spec.selector", "metadata.name"],
  },
  {
    manifest: {
      apiVersion,
      kind: "PrometheusRule",
      metadata,
      spec: {
        groups: [
          { name: "greeter", rules: [{ alert: "Down", expr: "up == 0", for: "5m", labels: { severity: "page" } }] },
        ],
      },
    },
    unknown: ["spec.group", "spec.groups.0.rules.0.summary"],
    wrong: { "spec.groups.0.rules.0.for": "5 minutes", "spec.groups.0.rules.0.labels.severity": 1 },
    required: ["spec", "metadata.name", "spec.groups.0.name", "spec.groups.0.rules.0.expr"],
  },
];
