import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { Case } from "./cases.ts";
import type { Service } from "./service.ts";

/** Observations of a peer. */
export interface Seen {
  bytes: Buffer;
  /** End of its connection: by the service, or by the peer's timeout. */
  end: "closed" | "reset" | "timed out";
}

/** Timeout of a peer for the first bytes and for further bytes, in milliseconds. */
const READ_TIMEOUT_MS = { first: 150, more: 30 };

/** Maximum number of bytes that are kept. */
const MAX_BYTES = 100_000;

/**
 * Sends a case to a service, and waits for its end.
 * @param onConnected called with the local port of the connection
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
    let timer = setTimeout(giveUp, 10 * READ_TIMEOUT_MS.first);
    const wait = (timeoutMs: number): void => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, timeoutMs);
    };

    const deliver = async (): Promise<void> => {
      for (const [index, piece] of pieces.entries()) {
        // Time for the earlier piece to arrive alone.
        if (index > 0) await sleep(1);
        if (socket.writable) socket.write(piece);
      }
      if (ending === "close") socket.end();
      if (ending === "reset") {
        // Time for the service to receive the bytes and start its work.
        await sleep(2);
        // Node never closes a socket that is reset while it is closing.
        if (socket.writableEnded) socket.destroy();
        else connection.resetAndDestroy();
      }
      if (!socket.destroyed) wait(READ_TIMEOUT_MS.first);
    };
    connection.setNoDelay();
    connection.once("connect", () => onConnected(connection.localPort!));
    socket.once(tls === "after handshake" ? "secureConnect" : "connect", () => void deliver());
    if (reads) {
      socket.on("data", (chunk: Buffer) => {
        if (length < MAX_BYTES) received.push(chunk);
        length += chunk.length;
        wait(READ_TIMEOUT_MS.more);
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
