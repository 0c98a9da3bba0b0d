import { setTimeout as sleep } from "node:timers/promises";
import type { Server, TlsOptions } from "node:tls";
import { isDeepStrictEqual } from "node:util";
import type { PlatformConfig } from "../config/settings.ts";
import { invalidArgument } from "../errors.ts";
import type { TlsTelemetry } from "../telemetry/tls.ts";
import { check, read } from "./files.ts";
import { trackHandshakes } from "./handshakes.ts";

/** TLS of the servers. Certificates are reloaded while they serve. */
export interface Tls {
  /** Options to create a server with. */
  options: TlsOptions;
  /** Gives a server each renewed certificate. Returns a function that closes connections whose handshake is in progress. */
  attach(protocol: string, server: Server): () => void;
}

/** Interval of reading the files, in milliseconds. A watch misses the symbolic link above them that Kubernetes swaps. */
const RELOAD_INTERVAL_MS = 1000;

/**
 * Reads the files of TLS, and reloads them until the process ends.
 * @returns undefined if TLS is not configured
 * @throws {ServiceError} INVALID_ARGUMENT: names the flag of a missing or invalid file
 */
export async function openTls(config: PlatformConfig, telemetry: TlsTelemetry): Promise<Tls | undefined> {
  const { tlsCert, tlsKey, tlsClientCa, tlsClientAuth, handshakeTimeout } = config;
  if ([tlsCert, tlsKey, tlsClientCa].every((path) => path === "")) return undefined;
  const missing = tlsCert === "" ? "--tls-cert" : tlsKey === "" ? "--tls-key" : undefined;
  if (missing) throw invalidArgument(`Missing ${missing}: expected a certificate and its key, or no setting of TLS`);

  const servers = new Set<Server>();
  let material = await read(config);
  const first = check(config, material);
  telemetry.inUse(first.notAfter, false);

  const reload = async (): Promise<void> => {
    let last = material;
    // A problem is logged once, not every second.
    let reported = "";
    for (;;) {
      await sleep(RELOAD_INTERVAL_MS, undefined, { ref: false });
      try {
        const now = await read(config);
        // A writer may have written only one of the files yet, so two readings must agree.
        const settled = isDeepStrictEqual(now, last);
        last = now;
        if (!settled || isDeepStrictEqual(now, material)) {
          reported = "";
          continue;
        }
        const { options, notAfter } = check(config, now);
        for (const server of servers) server.setSecureContext(options);
        material = now;
        telemetry.inUse(notAfter, true);
      } catch (error) {
        const { message } = error as Error;
        if (message !== reported) telemetry.notRenewed(error as Error);
        reported = message;
      }
    }
  };
  void reload();

  return {
    options: { ...first.options, handshakeTimeout },
    attach: (protocol, server) => {
      servers.add(server);
      return trackHandshakes(protocol, server, tlsClientAuth, telemetry);
    },
  };
}
