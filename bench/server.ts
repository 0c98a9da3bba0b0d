// The service at its defaults, with its telemetry or without any: what bench/telemetry.ts compares.
import { formatAddress, listen } from "../src/address.ts";
import { readBuildInfo } from "../src/build-info.ts";
import { readConfig } from "../src/config.ts";
import { createGreeter } from "../src/greeter.ts";
import { createGrpcServer } from "../src/grpc/server.ts";
import { createApp } from "../src/http/app.ts";
import { createHttpServer } from "../src/http/server.ts";
import { createReadiness } from "../src/readiness.ts";
import { createTelemetry } from "../src/telemetry/telemetry.ts";
import type { Telemetry } from "../src/telemetry/telemetry.ts";

const [variant] = process.argv.slice(2);

const config = readConfig({}, { env: {}, terminal: false });
const readiness = createReadiness();
const buildInfo = readBuildInfo();
const telemetry = await createTelemetry({
  logLevel: config.logLevel,
  accessLog: variant === "no-log" ? "off" : config.accessLog,
  output: process.stdout,
  readiness,
  buildInfo,
});

// Nothing is measured, logged or traced; what carries the request id is still there.
const exchange = { requestId: "none", traceparent: undefined, end: (): void => {} };
const silent: Pick<Telemetry, "http" | "grpc" | "failed"> = {
  http: { begin: () => exchange },
  grpc: { begin: () => exchange, expect: () => {}, retired: () => {} },
  failed: () => {},
};
const told = variant === "off" ? silent : telemetry;

const greeter = createGreeter({ greeting: config.greeting, buildInfo: () => buildInfo });
const grpc = createGrpcServer({
  greeter,
  readiness,
  telemetry: told,
  reflection: config.reflection,
  maxAgeMs: config.grpcMaxConnectionAge,
  maxAgeGraceMs: config.grpcMaxConnectionAgeGrace,
  maxIdleMs: config.grpcMaxConnectionIdle,
  keepaliveTimeMs: config.grpcKeepaliveTime,
  keepaliveTimeoutMs: config.grpcKeepaliveTimeout,
});
const http = createHttpServer({
  app: createApp({ greeter, telemetry: told }),
  telemetry: told.http,
  readiness,
  keepAliveTimeoutMs: config.httpKeepAliveTimeout,
  headersTimeoutMs: config.httpHeadersTimeout,
  requestTimeoutMs: config.httpRequestTimeout,
});
const address = async (listener: typeof http.listener | typeof grpc.listener): Promise<string> =>
  formatAddress(await listen(listener, { host: "127.0.0.1", port: 0 }));
const addresses = { http: await address(http.listener), grpc: await address(grpc.listener) };
readiness.enter("serving");
// Not in the output: that is where the log goes.
process.send?.(addresses);
