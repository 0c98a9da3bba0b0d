/** Connection preface of HTTP/2 (https://www.rfc-editor.org/rfc/rfc9113#section-3.4). */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const type = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
};
export const flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 };

/**
 * Returns a frame (https://www.rfc-editor.org/rfc/rfc9113#section-4.1).
 * @param length value of the length field
 */
export function frame(
  kind: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
  length = payload.length,
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(length % 2 ** 24, 0, 3);
  header[3] = kind;
  header[4] = flags;
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** Returns 32-bit numbers in network byte order. */
export function uint32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}

/** Returns the payload of a SETTINGS frame. */
export function settings(pairs: [id: number, value: number][]): Buffer {
  const bytes = Buffer.alloc(6 * pairs.length);
  for (const [index, [id, value]] of pairs.entries()) {
    bytes.writeUInt16BE(id, 6 * index);
    bytes.writeUInt32BE(value, 6 * index + 2);
  }
  return bytes;
}

/** Returns an HPACK integer (https://www.rfc-editor.org/rfc/rfc7541#section-5.1) after the upper bits of its first byte. */
export function integer(prefixBits: number, upperBits: number, value: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.from([upperBits | value]);
  const bytes = [upperBits | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

export type Header = readonly [name: string, value: string | Buffer];

/** Returns headers as HPACK literals, without indexing by default. */
export function block(headers: readonly Header[], representation = 0): Buffer {
  const text = (value: string | Buffer): Buffer => {
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value, "latin1");
    return Buffer.concat([integer(7, 0, bytes.length), bytes]);
  };
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.from([representation]), text(name), text(value)]));
}

/** Returns the headers of a gRPC call. */
export function callHeaders(path = "/greeter.v1.GreeterService/Greet"): Header[] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
  ];
}

/** Returns a gRPC message with its prefix (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests). */
export function message(payload: Buffer, { compressed = 0, length = payload.length } = {}): Buffer {
  return Buffer.concat([Buffer.from([compressed]), uint32(length), payload]);
}

/** Returns an encoded GreetRequest, whose name may be any bytes. */
export function greetRequest(name: string | Buffer): Buffer {
  const bytes = Buffer.isBuffer(name) ? name : Buffer.from(name);
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) | 128);
  return Buffer.concat([Buffer.from([0x0a, ...length, rest]), bytes]);
}

/** Default maximum size of a frame, in bytes (https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2). */
const MAX_FRAME_SIZE = 16_384;

/** Splits bytes into payloads of frames. */
function pieces(bytes: Buffer): Buffer[] {
  const count = Math.max(1, Math.ceil(bytes.length / MAX_FRAME_SIZE));
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * MAX_FRAME_SIZE, (index + 1) * MAX_FRAME_SIZE),
  );
}

/** Returns the frames of a unary call. */
export function call(
  stream: number,
  headers: Buffer = block(callHeaders()),
  body: Buffer = message(greetRequest("Ada")),
): Buffer {
  const last = (all: Buffer[], index: number, ending: number): number => (index === all.length - 1 ? ending : 0);
  return Buffer.concat([
    ...pieces(headers).map((piece, index, all) =>
      frame(index === 0 ? type.headers : type.continuation, last(all, index, flag.endHeaders), stream, piece),
    ),
    ...pieces(body).map((piece, index, all) => frame(type.data, last(all, index, flag.endStream), stream, piece)),
  ]);
}

/** Returns the first bytes of a client: preface and settings. */
export function opening(pairs: [id: number, value: number][] = []): Buffer {
  return Buffer.concat([PREFACE, frame(type.settings, 0, 0, settings(pairs))]);
}
