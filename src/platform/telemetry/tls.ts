import { identity } from "../identity.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export type TlsTelemetry = ReturnType<typeof tlsTelemetry>;

/** Creates the recorder of certificates and handshakes. */
export function tlsTelemetry(metrics: Metrics, log: Log) {
  const prefix = `${identity.metricPrefix}tls_`;
  const help = "Remaining validity of the certificate in use, in seconds.";
  const expiry = metrics.gauge(`${prefix}certificate_expiry_seconds`, help);
  const reloads = metrics.counter(`${prefix}reloads_total`, "Reloads of the TLS files, by result.");
  const failures = metrics.counter(`${prefix}handshake_failures_total`, "Failed TLS handshakes.");
  // Creates the series at 0, so that `rate()` sees the first increment.
  for (const result of ["success", "failure"]) reloads.with({ result });
  for (const protocol of ["http", "grpc"]) failures.with({ protocol });
  let end: Date | undefined;
  metrics.onRead(() => {
    if (end) expiry.with().value = (end.getTime() - Date.now()) / 1000;
  });

  return {
    inUse: (notAfter: Date, renewed: boolean): void => {
      end = notAfter;
      if (renewed) reloads.with({ result: "success" }).value++;
      const message = renewed ? "Certificate renewed" : "Certificate in use";
      if (notAfter.getTime() > Date.now()) log.info({ not_after: notAfter }, message);
      else log.warn({ not_after: notAfter }, `${message}, but it has expired`);
    },
    notRenewed: (error: Error): void => {
      reloads.with({ result: "failure" }).value++;
      log.warn({ err: error }, "Certificate not renewed: the last valid one stays in use");
    },
    // Level debug, because port scanners cause many.
    handshakeFailed: (protocol: string, reason: string): void => {
      failures.with({ protocol }).value++;
      log.debug({ protocol, reason }, "TLS handshake failed");
    },
  };
}
