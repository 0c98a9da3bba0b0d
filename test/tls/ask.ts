import { readFileSync } from "node:fs";
import { get } from "node:https";
import { text } from "node:stream/consumers";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { createContext } from "../../src/platform/context.ts";
import type { Certificate } from "./certificates.ts";

/** TLS settings of a client. */
export interface Identity {
  /** Path of the certificate authorities to trust. */
  ca: string;
  /** Client certificate; undefined for none. */
  certificate?: Certificate | undefined;
  /** Expected name in the server's certificate; `localhost` by default. */
  serverName?: string | undefined;
}

/** Asks for a greeting on a new connection. Rejects if the handshake fails. */
export type Ask = (port: number, identity: Identity) => Promise<string>;

/** Asks for a greeting, by protocol. */
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
    const client = createGreeterClient({ target: `127.0.0.1:${port}`, tls });
    try {
      return await client.greet("Bob", createContext({ deadline: Date.now() + 10_000 }));
    } finally {
      client.close();
    }
  },
};

/** Reads the files of an identity. */
export function contents({ ca, certificate }: Identity): { ca: Buffer; cert?: Buffer; key?: Buffer } {
  return {
    ca: readFileSync(ca),
    ...(certificate && { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }),
  };
}
