import { isIPv6 } from "node:net";

/** Address of a server. */
export interface Address {
  /** A host name or an IP address without brackets; empty for every address of the machine. */
  host: string;
  /** 0 for any free port. */
  port: number;
}

/**
 * Parses `host:port`. An IPv6 address has brackets (`[::]:8080`). Without a host (`:8080`) it is every address of the machine.
 * @returns undefined if the text has another form
 */
export function parseAddress(text: string): Address | undefined {
  const [, ipv6, host = ipv6, port] = /^(?:\[(.+)\]|([^\s:[\]/\p{C}]*)):(\d{1,5})$/u.exec(text) ?? [];
  if (host === undefined || (ipv6 !== undefined && !isIPv6(ipv6)) || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}

/** Formats an address for {@link parseAddress}. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
