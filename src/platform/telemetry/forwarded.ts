import type { BlockList } from "node:net";
import { isIP } from "node:net";
import type { Arrival } from "./request.ts";

/** What proxies say of a request; undefined where no trusted one says it. */
export interface Forwarded {
  /** The IP address of whom it came from. */
  client?: string | undefined;
  /** How that one sent it. */
  scheme?: "http" | "https" | undefined;
}

const NOTHING: Forwarded = {};

/**
 * Reads `X-Forwarded-For` and `X-Forwarded-Proto`, in which proxies say who is behind them
 * (https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For). Anybody can send these: only what a trusted peer says counts,
 * and of the addresses, each of which was added by whoever has the next, only those up to the first that is not trusted.
 * The scheme is the first one that is told: the outermost proxy has to overwrite what clients send, as proxies do.
 * @param trusted the networks of the proxies
 */
export function readForwarded(trusted: BlockList): (arrival: Arrival) => Forwarded {
  if (trusted.rules.length === 0) return () => NOTHING;
  return ({ headers, socket }) => {
    const peer = socket.remoteAddress ?? "";
    if (!contains(trusted, peer)) return NOTHING;
    const proto = String(headers["x-forwarded-proto"]).split(",", 1)[0]?.trim();
    return {
      client: firstBeyond(trusted, peer, String(headers["x-forwarded-for"] ?? "").split(",")),
      scheme: proto === "http" || proto === "https" ? proto : undefined,
    };
  };
}

/** The nearest address that is not trusted, or else the farthest; undefined where the proxy names none. */
function firstBeyond(trusted: BlockList, peer: string, addresses: string[]): string | undefined {
  let client = peer;
  for (const entry of addresses.toReversed()) {
    const address = withoutPort(entry.trim());
    if (isIP(address) === 0) break;
    client = address;
    if (!contains(trusted, client)) break;
  }
  return client === peer ? undefined : client;
}

/** Some proxies add the port: `203.0.113.7:4711`, `[2001:db8::7]:4711`. */
function withoutPort(text: string): string {
  const [, ipv6, ipv4] = /^(?:\[(.+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  return ipv6 ?? ipv4 ?? text;
}

function contains(networks: BlockList, address: string): boolean {
  return networks.check(address, address.includes(":") ? "ipv6" : "ipv4");
}
