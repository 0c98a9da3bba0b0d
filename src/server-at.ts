import type { Server as Listener } from "node:net";
import { formatAddress, listen } from "./address.ts";
import type { Address } from "./address.ts";
import type { Server } from "./lifecycle.ts";

/** What has a listener, for the lifecycle to start at an address. */
export function serverAt(
  protocol: string,
  { listener, ...rest }: Pick<Server, "drain" | "cut"> & { listener: Listener },
  address: Address,
): Server {
  return { protocol, start: async () => formatAddress(await listen(listener, address)), ...rest };
}
