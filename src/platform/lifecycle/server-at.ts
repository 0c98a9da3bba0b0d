import type { Server as Listener } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { formatAddress, type Address } from "../config/address.ts";
import type { Server } from "./lifecycle.ts";
import { listen } from "./listen.ts";

/** Maximum number of turns of the event loop in which waiting connections are accepted. */
const MAX_TURNS = 1000;

/** A server with a listener that does not listen yet. */
export interface ListeningServer extends Pick<Server, "drain" | "cut"> {
  listener: Listener;
}

/** Gives a server its name and its address, for the lifecycle. */
export function serverAt(
  protocol: string,
  { listener, drain, cut }: ListeningServer,
  address: Address,
  options: Parameters<typeof listen>[2],
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
 * Resolves when the accept queue is empty, or after {@link MAX_TURNS}. Closing the port resets the connections in the queue, and Node
 * accepts one in each turn of the event loop.
 */
async function acceptWaiting(listener: Listener): Promise<void> {
  let accepted = 0;
  const onConnection = (): void => void accepted++;
  listener.on("connection", onConnection);
  for (let turns = 0, before = -1; turns < MAX_TURNS && accepted > before; turns++) {
    before = accepted;
    await turn();
  }
  listener.off("connection", onConnection);
}
