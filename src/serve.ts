import { formatAddress, listen } from "./address.ts";
import { readBuildInfo } from "./build-info.ts";
import type { Config } from "./config.ts";
import { createGreeter } from "./greeter.ts";
import { createGrpcServer } from "./grpc/server.ts";
import { createApp } from "./http/app.ts";
import { createHttpServer } from "./http/server.ts";
import { start, stopSignal } from "./lifecycle.ts";
import type { Running } from "./lifecycle.ts";
import { createLog } from "./telemetry.ts";
import type { Log, Output } from "./telemetry.ts";

/**
 * Serves until the process is told to stop.
 * @param output takes the log
 * @throws {Error} it could not start; nothing is left open
 */
export async function serve(config: Config, output: Output): Promise<void> {
  const log = createLog(config.logLevel, output);
  const running = await startService(config, log);
  const signal = await stopSignal();
  log.info({ signal }, "Stopping");
  await running.stop();
  log.info("Stopped");
}

/** Builds the service from the inside out, and binds its ports last. This is the one place that knows every part of it. */
export async function startService(config: Config, log: Log): Promise<Running> {
  const buildInfo = readBuildInfo();
  buildInfo.catch((error: unknown) => log.warn({ err: error }, "No build information"));
  const greeter = createGreeter({ greeting: config.greeting, buildInfo: () => buildInfo });

  const report = (error: unknown, request: string): void => log.error({ err: error, request }, "Request failed");
  const grpc = createGrpcServer({ greeter, report });
  const http = createHttpServer(createApp({ greeter, report }));

  const running = await start([
    {
      name: "grpc",
      start: async () => formatAddress(await listen(grpc.listener, config.grpcAddr)),
      stop: () => grpc.stop(),
    },
    {
      name: "http",
      start: async () => formatAddress(await listen(http, config.addr)),
      stop: () => new Promise((resolve) => http.close(() => resolve())),
    },
  ]);
  for (const [protocol, address] of Object.entries(running.addresses)) log.info({ protocol, address }, "Listening");
  return running;
}
