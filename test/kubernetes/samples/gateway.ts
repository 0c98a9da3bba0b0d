import { metadata } from "./sample.ts";
import type { Sample } from "./sample.ts";

const apiVersion = "gateway.networking.k8s.io/v1";
const parentRefs = [{ name: "greeter", sectionName: "https" }];
const backendRefs = [{ name: "greeter", port: 80 }];

export const gatewaySamples: Sample[] = [
  {
    manifest: {
      apiVersion,
      kind: "Gateway",
      metadata,
      spec: {
        gatewayClassName: "any",
        listeners: [
          {
            name: "https",
            port: 443,
            protocol: "HTTPS",
            tls: { mode: "Terminate", certificateRefs: [{ name: "tls" }] },
            allowedRoutes: { namespaces: { from: "Same" } },
          },
        ],
      },
    },
    unknown: ["spec.listeners.0.host", "spec.listeners.0.tls.certificateRef", "spec.gatewayClass"],
    wrong: {
      "spec.listeners.0.port": 70000,
      "spec.listeners.0.tls.mode": "Terminated",
      "spec.listeners.0.hostname": "not a name",
      "spec.listeners": [],
    },
    required: ["spec", "spec.gatewayClassName", "spec.listeners.0.protocol", "metadata.name"],
  },
  {
    manifest: {
      apiVersion,
      kind: "HTTPRoute",
      metadata,
      spec: {
        parentRefs,
        hostnames: ["greeter.example.com"],
        rules: [
          {
            matches: [{ path: { type: "PathPrefix", value: "/" }, headers: [{ name: "a", value: "b" }] }],
            filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: { remove: ["x-a"] } }],
            timeouts: { request: "10s" },
            backendRefs,
          },
        ],
      },
    },
    unknown: [
      "spec.hostname",
      "spec.rules.0.matches.0.pathPrefix",
      "spec.rules.0.timeouts.requests",
      "metadata.annotation",
    ],
    wrong: {
      "spec.rules.0.matches.0.path.type": "Prefix",
      "spec.rules.0.backendRefs.0.port": "80",
      "spec.rules.0.timeouts.request": "10 seconds",
      "spec.rules.0.matches.0.method": "get",
    },
    required: ["spec", "metadata.name", "spec.parentRefs.0.name", "spec.rules.0.matches.0.headers.0.value"],
  },
  {
    manifest: {
      apiVersion,
      kind: "GRPCRoute",
      metadata,
      spec: {
        parentRefs,
        rules: [
          {
            matches: [
              {
                method: { service: "greeter.v1.GreeterService", method: "Greet" },
                headers: [{ name: "a", value: "b" }],
              },
            ],
            backendRefs,
          },
        ],
      },
    },
    unknown: ["spec.rules.0.match", "spec.rules.0.matches.0.method.services", "spec.rules.0.backendRefs.0.prot"],
    wrong: {
      "spec.rules.0.matches.0.method": "Greet",
      "spec.rules.0.matches.0.method.service": 1,
      "spec.rules.0.matches.0.method.type": "PathPrefix",
      "spec.rules.0.backendRefs.0.weight": "1",
    },
    required: ["metadata.name", "spec.rules.0.backendRefs.0.name", "spec.rules.0.matches.0.headers.0.name"],
  },
  {
    manifest: {
      apiVersion,
      kind: "BackendTLSPolicy",
      metadata,
      spec: {
        targetRefs: [{ group: "", kind: "Service", name: "greeter", sectionName: "grpc" }],
        validation: { hostname: "greeter", caCertificateRefs: [{ group: "", kind: "ConfigMap", name: "ca" }] },
      },
    },
    unknown: ["spec.targetRef", "spec.validation.caCertificateRef", "spec.targetRefs.0.port"],
    wrong: { "spec.validation.wellKnownCACertificates": true, "spec.targetRefs": {} },
    required: ["spec", "spec.validation", "spec.validation.hostname", "spec.targetRefs.0.group", "metadata.name"],
  },
];
