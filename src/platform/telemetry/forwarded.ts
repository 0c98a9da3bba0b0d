import type { IncomingHttpHeaders } from "node:http";
import { isIP, type BlockList, type Socket } from "node:net";

/** IP address of the client, and the scheme that it used, as trusted proxies forward them; undefined if none does. */
export interface Forwarded {
  client?: string | undefined;
  scheme?: "http" | "https" | undefined;
}

const NOTHING: Forwarded = {};

/**
 * Creates the reader of `X-Forwarded-For` and `X-Forwarded-Proto`
 * (https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For). Any client can send these, so only those of a
 * trusted peer count. Each proxy appends the address of its peer, so the client is the last address that is not trusted.
 * The scheme is the first one: the outermost proxy must overwrite the header of its clients.
 * @param trusted networks of the proxies
 */
export function readForwarded(
  trusted: BlockList,
): (request: { headers: IncomingHttpHeaders; socket: Pick<Socket, "remoteAddress"> }) => Forwarded {
  if (trusted.rules.length === 0) return () => NOTHING;
  const trusts = (address: string): boolean => trusted.check(address, address.includes(":") ? "ipv6" : "ipv4");

  return ({ headers, socket: { remoteAddress: peer = "" } }) => {
    if (!trusts(peer)) return NOTHING;
    let client = peer;
    const entries = String(headers["x-forwarded-for"]).split(",");
    for (const entry of entries.toReversed()) {
      const address = withoutPort(entry.trim());
      if (isIP(address) === 0) break;
      client = address;
      if (!trusts(address)) break;
    }
    const scheme = String(headers["x-forwarded-proto"]).split(",", 1)[0]!.trim();
    return {
      client: client === peer ? undefined : client,
      scheme: scheme === "http" || scheme === "https" ? scheme : undefined,
    };
  };
}

/** Removes the port that some proxies add: `203.0.113.7:4711`, `[2001:db8::7]:4711`. */
function withoutPort(text: string): string {
  const [, ipv6, ipv4] = /^(?:\[(.+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  return ipv6 ?? ipv4 ?? text;
}
