import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** An HTTP/2 frame (https://www.rfc-editor.org/rfc/rfc9113#section-4.1). */
export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

export const frameType = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 };
const END_STREAM = 0x1;
const ACK = 0x1;
const END_HEADERS = 0x4;

/** An HTTP/2 client that shows every frame and decides nothing by itself: Node's own retires a connection before one can look. */
export interface FrameClient {
  /** Every frame that came. */
  frames: Frame[];
  send(frame: Frame): void;
  /** Sends one whole unary gRPC call, and tells its stream. */
  call(path: string, message: Buffer): number;
  /** Sends the headers of a call, whose messages never come. */
  open(path: string): number;
  /** Whether the server has ended a stream, by its trailers. */
  isAnswered(stream: number): boolean;
  /** Resolves with the next frame that comes; rejects when the connection is closed before. */
  next(): Promise<Frame>;
  /** Resolves when the server has closed the connection. */
  closed: Promise<unknown>;
  /** Reads no more. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

/**
 * Connects to a server.
 * @param options.delay how long everything takes to arrive, each way, in milliseconds
 * @param options.silent whether it answers nothing, not even a PING: a peer that is gone
 */
export function frameClient(target: string, { delay = 0, silent = false } = {}): FrameClient {
  const { hostname, port } = new URL(`http://${target}`);
  const socket: Socket = connect(Number(port), hostname).setNoDelay();
  socket.on("error", () => {});
  const frames: Frame[] = [];
  // A connection that is reset is closed, too: `once` would reject.
  const closed = new Promise((resolve) => socket.once("close", resolve)).then(() => sleep(2 * delay));
  let lastStream = -1;

  const write = (bytes: Buffer): void => {
    if (delay === 0) socket.write(bytes);
    else void sleep(delay).then(() => socket.writable && socket.write(bytes));
  };
  const send = (frame: Frame): void => write(encode(frame));

  let arrival = Promise.withResolvers<Frame>();
  // Not everybody waits for it.
  const renewArrival = (): void => void (arrival = Promise.withResolvers<Frame>()).promise.catch(() => {});
  renewArrival();
  void closed.then(() => arrival.reject(new Error("The connection is closed")));
  const receive = (frame: Frame): void => {
    frames.push(frame);
    arrival.resolve(frame);
    renewArrival();
    if (silent || (frame.flags & ACK) !== 0) return;
    if (frame.type === frameType.settings) send({ ...frame, flags: ACK, payload: Buffer.alloc(0) });
    if (frame.type === frameType.ping) send({ ...frame, flags: ACK });
  };
  let pending = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 9 && pending.length >= 9 + pending.readUIntBE(0, 3)) {
      const frame = decode(pending);
      pending = pending.subarray(9 + frame.payload.length);
      if (delay === 0) receive(frame);
      else void sleep(delay).then(() => receive(frame));
    }
  });

  write(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  send({ type: frameType.settings, flags: 0, stream: 0, payload: Buffer.alloc(0) });

  const open = (path: string): number => {
    lastStream += 2;
    send({ type: frameType.headers, flags: END_HEADERS, stream: lastStream, payload: requestHeaders(path, target) });
    return lastStream;
  };
  return {
    frames,
    send,
    open,
    closed,
    next: () => arrival.promise,
    call: (path, message) => {
      const stream = open(path);
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(message.length, 1);
      send({ type: frameType.data, flags: END_STREAM, stream, payload: Buffer.concat([prefix, message]) });
      return stream;
    },
    isAnswered: (stream) =>
      frames.some(
        (frame) => frame.stream === stream && frame.type === frameType.headers && (frame.flags & END_STREAM) !== 0,
      ),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => socket.destroy(),
  };
}

function encode({ type, flags, stream, payload }: Frame): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

function decode(bytes: Buffer): Frame {
  const length = bytes.readUIntBE(0, 3);
  return {
    type: bytes[3]!,
    flags: bytes[4]!,
    stream: bytes.readUInt32BE(5),
    payload: Buffer.from(bytes.subarray(9, 9 + length)),
  };
}

/** Headers as HPACK literals that are never indexed (https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2): no table to keep. */
function requestHeaders(path: string, authority: string): Buffer {
  const headers = {
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": authority,
    "content-type": "application/grpc",
    te: "trailers",
  };
  const literal = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
  return Buffer.concat(
    Object.entries(headers).map(([name, value]) => Buffer.concat([Buffer.from([0]), literal(name), literal(value)])),
  );
}
