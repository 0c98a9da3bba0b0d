import { connect, createServer } from "node:net";
import type { Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { listen } from "../../src/platform/lifecycle/listen.ts";
import { send } from "../platform/http/request.ts";

/** Addresses of a greeter: `host:port` for gRPC, origins for HTTP and admin. */
export interface Endpoint {
  http: string;
  grpc: string;
  admin: string;
}

/**
 * A stand-in for a Kubernetes Service: new connections go in turn to the endpoints whose readiness probe succeeds, and open connections stay.
 */
export interface ClusterService {
  http: string;
  grpc: string;
  /** Adds an endpoint. Resolves when it receives connections. */
  add(endpoint: Endpoint): Promise<void>;
  close(): void;
}

const PROBE_INTERVAL_MS = 50;

/** Creates a service without endpoints. */
export async function clusterService(): Promise<ClusterService> {
  const endpoints = new Map<Endpoint, boolean>();

  const probe = async (endpoint: Endpoint): Promise<void> => {
    while (endpoints.has(endpoint)) {
      try {
        endpoints.set(endpoint, (await send(endpoint.admin, "/readyz")).status === 200);
      } catch {
        endpoints.delete(endpoint);
      }
      await sleep(PROBE_INTERVAL_MS);
    }
  };

  let turn = 0;
  const next = (): Endpoint | undefined => {
    const ready = [...endpoints].filter(([, isReady]) => isReady).map(([endpoint]) => endpoint);
    turn += 1;
    return ready[turn % ready.length];
  };

  const balancer = (port: (endpoint: Endpoint) => string): Server =>
    createServer({ noDelay: true }, (client) => {
      const endpoint = next();
      if (!endpoint) {
        client.destroy();
        return;
      }
      const backend = connect(Number(new URL(`http://${port(endpoint)}`).port), "127.0.0.1").setNoDelay();
      client.pipe(backend).pipe(client);
      client.on("error", () => backend.destroy()).on("close", () => backend.destroy());
      backend.on("error", () => client.destroy()).on("close", () => client.end());
    });

  const http = balancer((endpoint) => endpoint.http.replace("http://", ""));
  const grpc = balancer((endpoint) => endpoint.grpc);
  const local = { host: "127.0.0.1", port: 0 };
  const addresses = { http: await listen(http, local), grpc: await listen(grpc, local) };
  return {
    http: `http://127.0.0.1:${addresses.http.port}`,
    grpc: `127.0.0.1:${addresses.grpc.port}`,
    add: async (endpoint) => {
      endpoints.set(endpoint, false);
      void probe(endpoint);
      while (!endpoints.get(endpoint)) await sleep(PROBE_INTERVAL_MS);
    },
    close: () => {
      endpoints.clear();
      http.close();
      grpc.close();
    },
  };
}
