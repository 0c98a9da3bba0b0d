import { setTimeout as sleep } from "node:timers/promises";
import type { Server, TlsOptions } from "node:tls";
import type { TlsTelemetry } from "../telemetry/tls.ts";
import { check, read, same } from "./files.ts";
import type { Material, TlsFiles } from "./files.ts";
import { followHandshakes } from "./handshakes.ts";
import type { Handshakes } from "./handshakes.ts";

/** TLS for servers, with certificates that may change while they serve. */
export interface Tls {
  /** What a server is to be made with. */
  options: TlsOptions;
  /** Gives a server each new certificate; the connections that it has stay. */
  attach(protocol: string, server: Server): Handshakes;
}

/**
 * How often the files are read, in milliseconds. Kubernetes swaps a symbolic link above them, of which a watch on the files hears
 * nothing; and reading a few kB costs nothing.
 */
const INTERVAL = 1000;

/**
 * Reads the files, and goes on looking for new ones until the process ends.
 * @param handshakeTimeoutMs how long a client may take for its handshake, in milliseconds
 * @throws {InvalidArgumentError} a file can't be used; names its flag and says why
 */
export async function openTls(files: TlsFiles, handshakeTimeoutMs: number, telemetry: TlsTelemetry): Promise<Tls> {
  const servers = new Set<Server>();
  let material = await read(files);
  const first = check(files, material);
  telemetry.inUse(first.notAfter, false);

  const follow = async (): Promise<void> => {
    let last = material;
    // What is wrong is told once, not each second.
    let refused: Material | undefined;
    let unreadable = "";
    for (;;) {
      await sleep(INTERVAL, undefined, { ref: false });
      const now = await read(files).catch((error: Error) => {
        if (error.message !== unreadable) telemetry.notRenewed(error);
        unreadable = error.message;
      });
      if (!now) continue;
      unreadable = "";
      // Who is in the middle of writing them has not written both yet: they must be the same twice.
      const settled = same(now, last);
      last = now;
      if (!settled || (refused && same(now, refused))) continue;
      refused = undefined;
      if (same(now, material)) continue;
      try {
        const { options, notAfter } = check(files, now);
        for (const server of servers) server.setSecureContext(options);
        material = now;
        telemetry.inUse(notAfter, true);
      } catch (error) {
        refused = now;
        telemetry.notRenewed(error as Error);
      }
    }
  };
  void follow();

  return {
    options: { ...first.options, handshakeTimeout: handshakeTimeoutMs },
    attach: (protocol, server) => {
      servers.add(server);
      return followHandshakes(protocol, server, files.clientAuth, telemetry);
    },
  };
}
