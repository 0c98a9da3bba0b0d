import type { ExecutionContext } from "ava";
import { formatAddress, listen } from "../../src/address.ts";
import { createGreeter } from "../../src/greeter.ts";
import type { Greeter } from "../../src/greeter.ts";
import { createApp } from "../../src/http/app.ts";
import { createHttpServer } from "../../src/http/server.ts";
import type { HttpServer, HttpServerOptions } from "../../src/http/server.ts";
import { buildInfo } from "../sample-build-info.ts";
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
    ...options
  }: Partial<HttpServerOptions> & { greeter?: Partial<Greeter>; greeting?: string } = {},
): Promise<ServedHttp> {
  const collected = await collectTelemetry();
  const { readiness, telemetry } = collected;
  const served = { ...createGreeter({ greeting, buildInfo: async () => buildInfo }), ...greeter };
  const server = createHttpServer({
    app: createApp({ greeter: served, telemetry }),
    telemetry: telemetry.http,
    readiness,
    keepAliveTimeoutMs: 60_000,
    headersTimeoutMs: 60_000,
    requestTimeoutMs: 60_000,
    ...options,
  });
  const address = await listen(server.listener, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.cut());
  return { ...collected, server, origin: `http://${formatAddress(address)}`, port: address.port };
}
