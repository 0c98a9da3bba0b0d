import type { AddressInfo, Server } from "node:net";
import { formatAddress } from "../config/address.ts";
import type { Address } from "../config/address.ts";

/**
 * Makes a server listen.
 * @param options.reusePort lets other processes of the same user listen on the same port (`SO_REUSEPORT`)
 * @returns the address it got: with the chosen port where port 0 was asked for
 * @throws {Error} the address can't be had; the message names it and says why
 */
export function listen(server: Server, address: Address, { reusePort = false } = {}): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reason = reasons[cause.code ?? ""] ?? cause.message;
      reject(new Error(`Cannot listen on ${formatAddress(address)}: ${reason}`, { cause }));
    });
    server.listen({ port: address.port, ...(address.host && { host: address.host }), reusePort }, () => {
      server.removeAllListeners("error");
      const { address: host, port } = server.address() as AddressInfo;
      resolve({ host, port });
    });
  });
}

const reasons: Record<string, string> = {
  EACCES: "permission denied",
  EADDRINUSE: "it is in use",
  EADDRNOTAVAIL: "it is not an address of this machine",
  ENOTFOUND: "the host is unknown",
  ENOTSUP: "this system cannot share a port between processes (--reuse-port)",
};
