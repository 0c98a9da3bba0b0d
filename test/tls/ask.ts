import { readFileSync } from "node:fs";
import { get } from "node:https";
import { text } from "node:stream/consumers";
import { createGreeterClient } from "../../src/greeter/client.ts";
import type { Certificate } from "./certificates.ts";

/** Whom to trust, and what to show. */
export interface Identity {
  ca: string;
  certificate?: Certificate | undefined;
  /** The name that the server must have. */
  serverName?: string | undefined;
}

/** Asks for a greeting on a connection of its own; fails where the handshake does. */
export type Ask = (port: number, identity: Identity) => Promise<string>;

/** Asks over each of the protocols. */
export const asks: Record<"http" | "grpc", Ask> = {
  http: async (port, identity) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    get({
      host: "127.0.0.1",
      port,
      path: "/Bob",
      agent: false,
      headers: { Accept: "text/plain" },
      ...contents(identity),
      servername: identity.serverName ?? "localhost",
    })
      .on("response", (response) => void text(response).then((body) => resolve(body.trimEnd()), reject))
      .on("error", reject);
    return await promise;
  },
  grpc: async (port, identity) => {
    const tls = { ...contents(identity), serverName: identity.serverName ?? "localhost" };
    const client = createGreeterClient({ target: `127.0.0.1:${port}`, timeoutMs: 10_000, tls });
    try {
      return await client.greet("Bob");
    } finally {
      client.close();
    }
  },
};

/** What the files of an identity hold. */
export function contents({ ca, certificate }: Identity): { ca: Buffer; cert?: Buffer; key?: Buffer } {
  return {
    ca: readFileSync(ca),
    ...(certificate && { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }),
  };
}
