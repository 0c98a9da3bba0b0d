import type { DescService } from "@bufbuild/protobuf";
import { createClient, type Client } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { ExecutionContext } from "ava";
import { formatAddress } from "../../../src/platform/config/address.ts";
import type { PlatformConfig } from "../../../src/platform/config/settings.ts";
import { createGrpcServer } from "../../../src/platform/grpc/server.ts";
import type { ServerDependencies } from "../../../src/platform/platform.ts";
import type { GrpcService, Handlers } from "../../../src/platform/grpc/service.ts";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
import type { ListeningServer } from "../../../src/platform/lifecycle/server-at.ts";
import { testConfig } from "../../fixtures/config.ts";
import type { ItemService } from "../../fixtures/gen/fixture/v1/item_pb.ts";
import { createItems, type Items } from "../../fixtures/items.ts";
import { itemService } from "../../fixtures/service.ts";
import { collectTelemetry, type CollectedTelemetry } from "../telemetry/collect.ts";

/** A gRPC server on a port of its own. */
export interface ServedGrpc extends CollectedTelemetry {
  server: ListeningServer;
  target: string;
}

/** Serves the fixture service, or the given services, over gRPC on a port of its own. */
export async function serveGrpc(
  t: ExecutionContext,
  {
    services = [itemService(createItems())],
    readiness,
    admission,
    tls,
    ...overrides
  }: Partial<PlatformConfig> & { services?: GrpcService[] } & Partial<
      Pick<ServerDependencies, "readiness" | "admission" | "tls">
    > = {},
): Promise<ServedGrpc> {
  const collected = await collectTelemetry();
  const config = testConfig(overrides);
  const server = createGrpcServer(
    {
      ...collected,
      config,
      readiness: readiness ?? collected.readiness,
      admission: admission ?? createAdmission(config.maxInFlight),
      tls,
    },
    services,
  );
  const target = formatAddress(await listen(server.listener, { host: "127.0.0.1", port: 0 }));
  t.teardown(() => server.cut());
  return { ...collected, server, target };
}

/** Returns the fixture service with some functions of its domain, or some of its handlers, replaced. */
export function itemServices(
  items: Partial<Items>,
  handlers: Partial<Handlers<typeof ItemService>> = {},
): GrpcService[] {
  const service = itemService({ ...createItems(), ...items });
  return [{ ...service, handlers: { ...service.handlers, ...handlers } }];
}

/** Connects a client that shares no code with the server. Each client has a connection of its own. */
export function connectClient<S extends DescService>(t: ExecutionContext, service: S, target: string): Client<S> {
  const baseUrl = `http://${target}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  t.teardown(() => sessionManager.abort());
  return createClient(service, createGrpcTransport({ baseUrl, sessionManager }));
}
