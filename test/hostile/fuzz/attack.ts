import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { Case } from "./cases.ts";
import type { Service } from "./service.ts";

/** What a peer saw. */
export interface Seen {
  bytes: Buffer;
  /** How its connection ended: by the service, or by its own patience. */
  end: "closed" | "reset" | "timed out";
}

/** How long a peer waits for the next bytes, in milliseconds: before there were any, and after. */
const PATIENCE = { silence: 150, more: 30 };

/** More is not looked at. */
const MAX_BYTES = 100_000;

/**
 * Sends a case to a service, and waits for what becomes of it.
 * @param onConnected hears the port that the connection comes from
 */
export function attack(
  { port, tls, pieces, ending, reads }: Case,
  { ports, ca }: Service,
  onConnected: (port: number) => void,
): Promise<Seen> {
  return new Promise((resolve) => {
    const connection = connect({ port: ports[port], host: "127.0.0.1", allowHalfOpen: true });
    const socket =
      tls === "after handshake"
        ? connectTls({
            socket: connection,
            ...(ca && { ca }),
            servername: "localhost",
            ALPNProtocols: [port === "http" ? "http/1.1" : "h2"],
          })
        : connection;
    const received: Buffer[] = [];
    let length = 0;
    let end: Seen["end"] = "closed";
    const giveUp = (): void => {
      end = "timed out";
      socket.destroy();
    };
    let timer = setTimeout(giveUp, 10 * PATIENCE.silence);
    const wait = (milliseconds: number): void => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, milliseconds);
    };

    const deliver = async (): Promise<void> => {
      for (const [index, piece] of pieces.entries()) {
        // Time for the piece before to arrive on its own.
        if (index > 0) await sleep(1);
        if (socket.writable) socket.write(piece);
      }
      if (ending === "close") socket.end();
      if (ending === "reset") {
        // Time for what was sent to arrive, and be begun.
        await sleep(2);
        // Node never lets go of a socket that is reset while it is being closed.
        if (socket.writableEnded) socket.destroy();
        else connection.resetAndDestroy();
      }
      if (!socket.destroyed) wait(PATIENCE.silence);
    };
    connection.setNoDelay();
    connection.once("connect", () => onConnected(connection.localPort!));
    socket.once(tls === "after handshake" ? "secureConnect" : "connect", () => void deliver());
    if (reads) {
      socket.on("data", (chunk: Buffer) => {
        if (length < MAX_BYTES) received.push(chunk);
        length += chunk.length;
        wait(PATIENCE.more);
      });
    }
    socket.once("end", () => socket.end());
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code === "ECONNRESET" || code === "EPIPE") end = "reset";
    });
    socket.once("close", () => {
      clearTimeout(timer);
      resolve({ bytes: Buffer.concat(received), end });
    });
  });
}
