import { isIPv6 } from "node:net";

/** Where a server listens. */
export interface Address {
  /** A host name or an IP address without brackets; empty for every address of the machine. */
  host: string;
  /** 0 for any free port. */
  port: number;
}

/**
 * Reads `host:port`. An IPv6 address stands in brackets (`[::]:8080`); no host (`:8080`) means every address of the machine.
 * @returns undefined where the text is something else
 */
export function parseAddress(text: string): Address | undefined {
  const [, ipv6, host = ipv6, port] = /^(?:\[(.+)\]|([^\s:[\]/\p{C}]*)):(\d{1,5})$/u.exec(text) ?? [];
  if (host === undefined || (ipv6 !== undefined && !isIPv6(ipv6)) || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}

/** Writes an address as {@link parseAddress} reads it. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
