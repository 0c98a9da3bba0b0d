import type { ExecutionContext } from "ava";
import { formatAddress, listen } from "../../src/address.ts";
import { createGreeter } from "../../src/greeter.ts";
import type { Greeter } from "../../src/greeter.ts";
import { createApp } from "../../src/http/app.ts";
import { createHttpServer } from "../../src/http/server.ts";
import type { HttpServer, HttpServerOptions } from "../../src/http/server.ts";
import { createReadiness } from "../../src/readiness.ts";
import type { Readiness } from "../../src/readiness.ts";
import { buildInfo } from "../sample-build-info.ts";

/** An HTTP server that is serving on a port of its own. */
export interface ServedHttp {
  server: HttpServer;
  origin: string;
  port: number;
  readiness: Readiness;
  reported: unknown[];
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
  const reported: unknown[] = [];
  const readiness = createReadiness();
  readiness.enter("serving");
  const served = { ...createGreeter({ greeting, buildInfo: async () => buildInfo }), ...greeter };
  const server = createHttpServer({
    app: createApp({ greeter: served, report: (error) => reported.push(error) }),
    readiness,
    keepAliveTimeoutMs: 60_000,
    headersTimeoutMs: 60_000,
    requestTimeoutMs: 60_000,
    ...options,
  });
  const address = await listen(server.listener, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.cut());
  return { server, origin: `http://${formatAddress(address)}`, port: address.port, readiness, reported };
}
