import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

/** Hears of certificates and handshakes. */
export interface TlsTelemetry {
  /** A certificate is in use from now on. */
  inUse(notAfter: Date, renewed: boolean): void;
  /** The files changed, and can't be used: the last good ones stay in use. */
  notRenewed(error: Error): void;
  /** A connection ended before its handshake did. */
  handshakeFailed(protocol: string, reason: string): void;
}

/** Tells of certificates and handshakes. */
export function tlsTelemetry(metrics: Metrics, log: Log): TlsTelemetry {
  const expiry = metrics.gauge(
    "greeter_tls_certificate_expiry_seconds",
    "How long the certificate in use is still valid, in seconds.",
  );
  const reloads = metrics.counter(
    "greeter_tls_reloads_total",
    "Changes of the TLS files, by whether they can be used.",
  );
  const failures = metrics.counter(
    "greeter_tls_handshake_failures_total",
    "Connections that ended before their TLS handshake did.",
  );
  // They are there from the start, so that the first one is an increase.
  for (const result of ["success", "failure"]) reloads.with({ result });
  for (const protocol of ["http", "grpc"]) failures.with({ protocol });
  let end: Date | undefined;
  metrics.onRead(() => {
    if (end) expiry.with().value = (end.getTime() - Date.now()) / 1000;
  });

  return {
    inUse: (notAfter, renewed) => {
      end = notAfter;
      reloads.with({ result: "success" }).value += renewed ? 1 : 0;
      const message = renewed ? "Certificate renewed" : "Certificate in use";
      if (notAfter.getTime() > Date.now()) log.info({ not_after: notAfter }, message);
      else log.warn({ not_after: notAfter }, `${message}, but it has expired`);
    },
    notRenewed: (error) => {
      reloads.with({ result: "failure" }).value++;
      log.warn({ err: error }, "Certificate not renewed: the last good one stays in use");
    },
    // Not worth more than a line of debugging: whoever scans for open ports makes many.
    handshakeFailed: (protocol, reason) => {
      failures.with({ protocol }).value++;
      log.debug({ protocol, reason }, "TLS handshake failed");
    },
  };
}
