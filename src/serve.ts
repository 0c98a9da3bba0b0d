import { createGreeter } from "./greeter/greeter.ts";
import { greeterService } from "./greeter/grpc.ts";
import { greeterRoutes } from "./greeter/http.ts";
import type { greeterSettings } from "./greeter/settings.ts";
import type { Config } from "./platform/config/config.ts";
import type { platformSettings } from "./platform/config/settings.ts";
import { createGrpcServer } from "./platform/grpc/server.ts";
import { createHttpServer } from "./platform/http/server.ts";
import { versionRoutes } from "./platform/http/version.ts";
import { createPlatform } from "./platform/platform.ts";
import type { Output } from "./platform/telemetry/log.ts";

type ServeConfig = Config<typeof greeterSettings & typeof platformSettings>;

/**
 * Builds the service from its parts, and serves until the process is told to stop.
 * @param output destination of the log
 * @returns exit code
 * @throws {ServiceError} INVALID_ARGUMENT: a file of TLS or a variable of OpenTelemetry is invalid
 * @throws {Error} a port cannot be bound; no port is left open
 */
export async function serve(config: ServeConfig, output: Output): Promise<number> {
  const platform = await createPlatform(config, output);
  const greeter = createGreeter(config.greeting, platform.buildInfo);
  const grpc = createGrpcServer(platform, [greeterService(greeter)]);
  const http = createHttpServer(platform, [versionRoutes(platform.buildInfo), greeterRoutes(greeter)]);
  return platform.run({ grpc, http });
}
