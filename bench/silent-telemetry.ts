import { createLog } from "../src/platform/telemetry/log.ts";
import type { Telemetry, TelemetryOptions } from "../src/platform/telemetry/telemetry.ts";

/** Stands in for the platform's telemetry: it measures nothing and logs no request. The log of the lifecycle names the ports. */
export async function createTelemetry({ logLevel, output }: TelemetryOptions): Promise<Telemetry> {
  const log = createLog(logLevel, output);
  const nothing = (): void => {};
  // Responses still carry a request id.
  const record = { requestId: "none", traceparent: undefined, log, end: nothing };
  return {
    log,
    http: { expect: nothing, startRequest: () => record },
    grpc: { expect: nothing, startRequest: () => record, closing: nothing },
    tls: { inUse: nothing, notRenewed: nothing, handshakeFailed: nothing },
    eventLoopDelay: nothing,
    countConnections: nothing,
    exposeMetrics: () => ({ contentType: "text/plain", text: "" }),
    setLogLevel: nothing,
    close: undefined,
  };
}
