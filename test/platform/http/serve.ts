import type { ExecutionContext } from "ava";
import { formatAddress } from "../../../src/platform/config/address.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { createGreeter } from "../../../src/greeter/greeter.ts";
import type { Greeter } from "../../../src/greeter/greeter.ts";
import { createApp } from "../../../src/platform/http/app.ts";
import { createHttpServer } from "../../../src/platform/http/server.ts";
import type { HttpServer, HttpServerOptions } from "../../../src/platform/http/server.ts";
import { buildInfo } from "../../sample-build-info.ts";
import { collectTelemetry } from "../telemetry/collect.ts";
import type { CollectedTelemetry } from "../telemetry/collect.ts";

/** An HTTP server that is serving on a port of its own. */
export interface ServedHttp extends CollectedTelemetry {
  server: HttpServer;
  origin: string;
  port: number;
}

/** Serves HTTP on a port of its own. */
export async function serveHttp(
  t: ExecutionContext,
  {
    greeter,
    greeting = "Hello",
    maxUrlSize = 4096,
    ...options
  }: Partial<HttpServerOptions> & { greeter?: Partial<Greeter>; greeting?: string; maxUrlSize?: number } = {},
): Promise<ServedHttp> {
  const collected = await collectTelemetry();
  const { readiness, telemetry } = collected;
  const served = { ...createGreeter({ greeting, buildInfo: async () => buildInfo }), ...greeter };
  const server = createHttpServer({
    app: createApp({ greeter: served, telemetry, maxUrlSize }),
    telemetry: telemetry.http,
    readiness,
    admission: createAdmission(1000),
    tls: undefined,
    maxConnections: 1000,
    maxHeaderSize: 16_384,
    maxRequestsPerConnection: 1000,
    sendTimeoutMs: 60_000,
    keepAliveTimeoutMs: 60_000,
    headersTimeoutMs: 60_000,
    ...options,
  });
  const address = await listen(server.listener, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.cut());
  return { ...collected, server, origin: `http://${formatAddress(address)}`, port: address.port };
}
