import type { Router } from "@koa/router";
import type { ExecutionContext } from "ava";
import type { Middleware } from "koa";
import { formatAddress } from "../../../src/platform/config/address.ts";
import type { PlatformConfig } from "../../../src/platform/config/settings.ts";
import { createHttpServer } from "../../../src/platform/http/server.ts";
import type { HttpServer } from "../../../src/platform/http/server.ts";
import type { ServerDependencies } from "../../../src/platform/platform.ts";
import { versionRoutes } from "../../../src/platform/http/version.ts";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
import { testConfig } from "../../fixtures/config.ts";
import { createItems } from "../../fixtures/items.ts";
import { itemRoutes } from "../../fixtures/routes.ts";
import { buildInfo } from "../../sample-build-info.ts";
import { collectTelemetry } from "../telemetry/collect.ts";
import type { CollectedTelemetry } from "../telemetry/collect.ts";

/** An HTTP server on a port of its own. */
export interface ServedHttp extends CollectedTelemetry {
  server: HttpServer;
  origin: string;
  port: number;
}

/** Serves the fixture routes, or the given middleware, over HTTP on a port of its own. */
export async function serveHttp(
  t: ExecutionContext,
  {
    middleware = [versionRoutes(async () => buildInfo), itemRoutes(createItems())],
    admission,
    telemetry,
    tls,
    ...overrides
  }: Partial<PlatformConfig> & { middleware?: (Router | Middleware)[] } & Partial<
      Pick<ServerDependencies, "admission" | "telemetry" | "tls">
    > = {},
): Promise<ServedHttp> {
  const collected = await collectTelemetry();
  const config = testConfig(overrides);
  const server = createHttpServer(
    {
      config,
      readiness: collected.readiness,
      admission: admission ?? createAdmission(config.maxInFlight),
      telemetry: telemetry ?? collected.telemetry,
      tls,
    },
    middleware,
  );
  const address = await listen(server.listener, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.cut());
  return { ...collected, server, origin: `http://${formatAddress(address)}`, port: address.port };
}

/** A middleware that holds the requests of `/gate`. */
export interface Gate {
  middleware: Middleware;
  /** Resolves when the first request has arrived. */
  started: Promise<void>;
  /** Lets the requests go on. */
  open(): void;
}

/** Creates a gate, which is closed. */
export function createGate(): Gate {
  const started = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    started: started.promise,
    open: opened.resolve,
    middleware: async (context, next) => {
      if (context.path !== "/gate") return void (await next());
      started.resolve();
      await opened.promise;
      context.body = "Opened";
    },
  };
}
