import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { flag, frame, opening, type, uint32 } from "../fuzz/frames.ts";

/** Maximum duration of an attack, in milliseconds. A peer that is then still connected was not disconnected. */
const ATTACK_TIMEOUT_MS = 8000;

/** A client of raw bytes. */
export interface Peer {
  /** Sends bytes, and waits until the system has taken them. Resolves with false if the connection is closed. */
  send(bytes: Buffer): Promise<boolean>;
  /**
   * Sends the bytes of `make` repeatedly until the connection closes.
   * @returns number of calls of `make`
   */
  flood(make: (count: number) => Buffer, options?: { most?: number; batch?: number }): Promise<number>;
  /** Returns the received bytes as text. */
  received(): string;
  /** Resolves with the end of the connection: "closed after …", or "open" after {@link ATTACK_TIMEOUT_MS}. */
  end(): Promise<string>;
}

interface PeerOptions {
  /** Whether the peer reads. */
  reading?: boolean;
  /** Bytes to send on connecting. */
  first?: Buffer;
}

/** Connects a peer to a port. */
export function connectPeer(port: number, { reading = true, first = Buffer.alloc(0) }: PeerOptions = {}): Peer {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const start = performance.now();
  let bytes = "";
  // Enough for a status. An attacker stores no responses either.
  if (reading) socket.on("data", (chunk) => (bytes = (bytes + chunk.toString("latin1")).slice(0, 100_000)));
  if (first.length > 0) socket.write(first);

  const send = async (sent: Buffer): Promise<boolean> => {
    if (!socket.writable) return false;
    if (!socket.write(sent)) {
      const drained = new Promise<void>((resolve) => socket.once("drain", () => resolve()));
      await Promise.race([drained, closed, sleep(ATTACK_TIMEOUT_MS)]);
    }
    return socket.writable;
  };
  return {
    send,
    flood: async (make, { most = Infinity, batch = 64 } = {}) => {
      let count = 0;
      for (let open = true; open && count < most && performance.now() - start < ATTACK_TIMEOUT_MS;) {
        const some = Array.from({ length: Math.min(batch, most - count) }, (_, index) => make(count + index));
        count += some.length;
        open = await send(Buffer.concat(some));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return count;
    },
    received: () => bytes,
    end: async () => {
      // A paused socket does not emit the close of its peer.
      const probing = setInterval(() => socket.resume(), 500);
      await Promise.race([closed, sleep(Math.max(1, ATTACK_TIMEOUT_MS - (performance.now() - start)))]);
      clearInterval(probing);
      const how = socket.closed ? `closed after ${((performance.now() - start) / 1000).toFixed(1)} s` : "open";
      socket.destroy();
      return how;
    },
  };
}

/** Connects a peer that has sent the HTTP/2 preface, and acknowledged the server's settings. */
export function connectHttp2Peer(
  port: number,
  { settings = [], ...options }: PeerOptions & { settings?: [id: number, value: number][] } = {},
): Peer {
  const first = Buffer.concat([opening(settings), frame(type.settings, flag.ack, 0)]);
  const peer = connectPeer(port, { first, ...options });
  return { ...peer, end: async () => `${goaway(peer.received())}${await peer.end()}` };
}

/** Describes the first GOAWAY among received bytes; empty without one. */
function goaway(bytes: string): string {
  const names =
    "NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR";
  const more = "REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM";
  const buffer = Buffer.from(bytes, "latin1");
  for (let at = 0; at + 17 <= buffer.length; at += 9 + buffer.readUIntBE(at, 3)) {
    if (buffer[at + 3] === type.goaway)
      return `GOAWAY ${`${names} ${more}`.split(" ")[buffer.readUInt32BE(at + 13)]}, `;
  }
  return "";
}

/** Returns the id of a client's nth stream. */
export const streamId = (count: number): number => 2 * count + 1;

/** Returns a WINDOW_UPDATE frame. */
export const windowUpdate = (stream: number, increment: number): Buffer =>
  frame(type.windowUpdate, 0, stream, uint32(increment));

/** Setting of a stream's initial window (https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2). */
export const INITIAL_WINDOW_SIZE = 4;
