import type { Server as Listener } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { formatAddress } from "../config/address.ts";
import { listen } from "./listen.ts";
import type { Address } from "../config/address.ts";
import type { Server } from "./lifecycle.ts";

/** How many turns of the event loop whoever connects while the port is to be closed may take. */
const MOST_TURNS = 1000;

/** What has a listener, for the lifecycle to start at an address. */
export function serverAt(
  protocol: string,
  { listener, drain, cut }: Pick<Server, "drain" | "cut"> & { listener: Listener },
  address: Address,
  options?: { reusePort: boolean },
): Server {
  return {
    protocol,
    start: async () => formatAddress(await listen(listener, address, options)),
    drain: async () => {
      await acceptWaiting(listener);
      await drain();
    },
    cut,
  };
}

/**
 * Resolves when whoever has connected is accepted, but for those who never stop coming. Closing the port resets the others, and Node accepts one in each
 * turn of the event loop.
 */
async function acceptWaiting(listener: Listener): Promise<void> {
  let accepted = 0;
  const onConnection = (): void => void accepted++;
  listener.on("connection", onConnection);
  for (let turns = 0, before = -1; turns < MOST_TURNS && accepted > before; turns++) {
    before = accepted;
    await turn();
  }
  listener.off("connection", onConnection);
}
