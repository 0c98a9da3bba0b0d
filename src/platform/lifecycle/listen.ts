import type { AddressInfo, Server } from "node:net";
import { formatAddress, type Address } from "../config/address.ts";

/**
 * Makes a server listen.
 * @param options.reusePort lets other processes of the same user listen on the same port (`SO_REUSEPORT`)
 * @param options.flag flag of the address, for the error
 * @returns the bound address, with the chosen port if port 0 was given
 * @throws {Error} the address cannot be bound; the message names it, the reason and the flag
 */
export function listen(server: Server, address: Address, { reusePort = false, flag = "" } = {}): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reason = reasons[cause.code ?? ""] ?? cause.message;
      const culprit = cause.code === "ENOTSUP" ? "--reuse-port" : flag;
      const message = `Cannot listen on ${formatAddress(address)}: ${reason}`;
      reject(new Error(culprit ? `${message} (${culprit})` : message, { cause }));
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
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "not an address of this machine",
  ENOTFOUND: "unknown host",
  ENOTSUP: "this system cannot share a port between processes",
};
