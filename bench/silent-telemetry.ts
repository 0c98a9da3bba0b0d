import { createLog } from "../src/platform/telemetry/log.ts";
import type { Telemetry, TelemetryOptions } from "../src/platform/telemetry/telemetry.ts";

/** Nothing is measured and no request is told of. What carries the request id is still there. */
const exchange = { requestId: "none", traceparent: undefined, end: (): void => {} };

/** Stands in for the service's telemetry: it tells only of the service itself, so that one knows where it listens. */
export async function createTelemetry({ logLevel, output }: TelemetryOptions): Promise<Telemetry> {
  const nothing = (): void => {};
  return {
    log: createLog(logLevel, output),
    http: { begin: () => exchange },
    grpc: { begin: () => exchange, expect: nothing, retired: nothing },
    tls: { inUse: nothing, notRenewed: nothing, handshakeFailed: nothing },
    failed: nothing,
    eventLoopDelay: nothing,
    countConnections: nothing,
    exposeMetrics: () => ({ contentType: "text/plain", text: "" }),
    setLogLevel: nothing,
    close: undefined,
  };
}
