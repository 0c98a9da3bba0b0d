import { setTimeout as sleep } from "node:timers/promises";
import { readBuildInfo } from "./build-info.ts";
import type { Greeter } from "./greeter.ts";
import { createGreeterClient } from "./grpc/client.ts";
import { traceContext } from "./telemetry/trace-context.ts";
import { openTracing } from "./telemetry/tracing.ts";

/** How long telling of the calls may hold up the command, in milliseconds. */
const PATIENCE = 1000;

export interface ServerOptions {
  /** Where the server is: `host:port`, or another form that gRPC knows. */
  target: string;
  /** How long an answer may take, in milliseconds. */
  timeoutMs: number;
  env: NodeJS.ProcessEnv;
  /** Hears of what goes wrong beside the calls. */
  stderr: { write(text: string): unknown };
}

/**
 * A server to ask over gRPC, and what ends that.
 * @throws {InvalidArgumentError} a variable of OpenTelemetry's is wrong
 */
export async function connect({
  target,
  timeoutMs,
  env,
  stderr,
}: ServerOptions): Promise<{ greeter: Greeter; close: () => Promise<void> }> {
  const warn = (_: object, message: string): void => void stderr.write(`call: ${message}\n`);
  const tracing = await openTracing({ warn, debug: () => {} }, async () => (await readBuildInfo()).main.version);
  // A pipeline that is traced hands its trace on in these: https://opentelemetry.io/docs/specs/otel/context/env-carriers/
  const parent = traceContext(env["TRACEPARENT"], env["TRACESTATE"]);
  const client = createGreeterClient({ target, timeoutMs, tracing, parent });
  return {
    greeter: client,
    close: async () => {
      client.close();
      await Promise.race([tracing?.close(), sleep(PATIENCE, undefined, { ref: false })]);
    },
  };
}
