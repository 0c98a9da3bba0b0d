import type { ExecutionContext } from "ava";
import { formatAddress } from "../../../src/platform/config/address.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { createGreeter } from "../../../src/greeter/greeter.ts";
import type { Greeter } from "../../../src/greeter/greeter.ts";
import { createGrpcServer } from "../../../src/platform/grpc/server.ts";
import type { GrpcServer, GrpcServerOptions } from "../../../src/platform/grpc/server.ts";
import { buildInfo } from "../../sample-build-info.ts";
import { collectTelemetry } from "../telemetry/collect.ts";
import type { CollectedTelemetry } from "../telemetry/collect.ts";

/** A gRPC server that is serving on a port of its own. */
export interface ServedGrpc extends CollectedTelemetry {
  server: GrpcServer;
  target: string;
}

/** Serves gRPC on a port of its own, with no limit on its connections but those that are given. */
export async function serveGrpc(
  t: ExecutionContext,
  { greeter, ...options }: Omit<Partial<GrpcServerOptions>, "greeter"> & { greeter?: Partial<Greeter> } = {},
): Promise<ServedGrpc> {
  const collected = await collectTelemetry();
  const { readiness, telemetry } = collected;
  const server = createGrpcServer({
    greeter: { ...createGreeter({ greeting: "Hello", buildInfo: async () => buildInfo }), ...greeter },
    readiness,
    telemetry,
    reflection: true,
    admission: createAdmission(1000),
    tls: undefined,
    maxConnections: 1000,
    maxConcurrentStreams: 100,
    maxMessageSize: 65_536,
    maxMetadataSize: 16_384,
    maxTimeoutMs: 30_000,
    handshakeTimeoutMs: 30_000,
    maxAgeMs: 0,
    maxAgeGraceMs: 0,
    maxIdleMs: 0,
    keepaliveTimeMs: 0,
    keepaliveTimeoutMs: 0,
    ...options,
  });
  const target = formatAddress(await listen(server.listener, { host: "127.0.0.1", port: 0 }));
  t.teardown(() => server.cut());
  return { ...collected, server, target };
}
