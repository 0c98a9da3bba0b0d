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

/** HTTP/2 client that exposes every frame, and sends nothing but responses to SETTINGS and PING by itself: Node's client hides frames. */
export interface FrameClient {
  /** Every frame received. */
  frames: Frame[];
  send(frame: Frame): void;
  /** Sends a complete unary gRPC call, and returns its stream id. */
  call(path: string, message: Buffer): number;
  /** Sends the headers of a call without any message, and returns its stream id. */
  open(path: string): number;
  /** Reports whether the server has ended a stream with trailers. */
  isAnswered(stream: number): boolean;
  /** Resolves with the next frame; rejects if the connection is closed before. */
  next(): Promise<Frame>;
  /** Resolves when the server has closed the connection. */
  closed: Promise<unknown>;
  /** Stops reading. */
  pause(): void;
  resume(): void;
  destroy(): void;
}

/**
 * Connects to a server.
 * @param options.delay latency in each direction, in milliseconds
 * @param options.allowHalfOpen whether it keeps its side of the connection open after the server has closed the other one
 * @param options.silent whether it responds to no frame, not even to a PING, as a dead peer
 */
export function frameClient(target: string, { delay = 0, allowHalfOpen = false, silent = false } = {}): FrameClient {
  const { hostname, port } = new URL(`http://${target}`);
  const socket: Socket = connect({ host: hostname, port: Number(port), allowHalfOpen }).setNoDelay();
  socket.on("error", () => {});
  const frames: Frame[] = [];
  // `once` of node:events would reject if the connection is reset.
  const closed = new Promise((resolve) => socket.once("close", resolve)).then(() => sleep(2 * delay));
  let lastStream = -1;

  const write = (bytes: Buffer): void => {
    if (delay === 0) socket.write(bytes);
    else void sleep(delay).then(() => socket.writable && socket.write(bytes));
  };
  const send = (frame: Frame): void => write(encode(frame));

  let arrival = Promise.withResolvers<Frame>();
  // Not every test waits for it.
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

/** Encodes headers as HPACK literals without indexing (https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2), which need no table. */
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
