import type { Generators } from "./cases.ts";
import { call, opening } from "./frames.ts";
import { boundaries, mutate } from "./mutate.ts";
import type { Random } from "./random.ts";

const uint16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);
const sized = (bytes: Buffer): Buffer => Buffer.concat([uint16(bytes.length), bytes]);
const list16 = (...values: number[]): Buffer => sized(Buffer.concat(values.map(uint16)));

/** Returns a record (https://www.rfc-editor.org/rfc/rfc8446#section-5.1). */
function record(type: number, payload: Buffer, { version = 0x0301, length = payload.length } = {}): Buffer {
  return Buffer.concat([Buffer.from([type]), uint16(version), uint16(length), payload]);
}

const HANDSHAKE = 22;
const types = { changeCipherSpec: 20, alert: 21, handshake: HANDSHAKE, applicationData: 23, heartbeat: 24 };

/** Returns a valid ClientHello (https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2) with a random key. */
function clientHello(
  random: Random,
  { version = 0x0303, alpn = "h2", suites = [0x1301, 0x1302, 0xc02b, 0xc02f] } = {},
): Buffer {
  const extension = (type: number, payload: Buffer): Buffer => Buffer.concat([uint16(type), sized(payload)]);
  const protocol = Buffer.concat([Buffer.from([alpn.length]), Buffer.from(alpn)]);
  const key = Buffer.concat([uint16(0x1d), sized(random.bytes(32))]);
  const extensions = Buffer.concat([
    extension(0, sized(Buffer.concat([Buffer.from([0]), sized(Buffer.from("localhost"))]))),
    extension(10, list16(0x1d, 0x17)),
    extension(13, list16(0x0403, 0x0804, 0x0401)),
    extension(16, sized(protocol)),
    extension(43, Buffer.from([4, 3, 4, 3, 3])),
    extension(45, Buffer.from([1, 1])),
    extension(51, sized(key)),
  ]);
  const body = Buffer.concat([
    uint16(version),
    random.bytes(32),
    Buffer.from([0]),
    list16(...suites),
    Buffer.from([1, 0]),
    sized(extensions),
  ]);
  return Buffer.concat([Buffer.from([1, 0]), uint16(body.length), body]);
}

const anyRecord = (random: Random): Buffer => {
  const payload = random.bytes(random.pick([0, 1, 2, 5, 40, 300]));
  const type = random.chance(0.8) ? random.pick(Object.values(types)) : random.below(256);
  const version = random.pick([0x0301, 0x0303, 0x0303, 0x0304, 0x0300, 0x0200, 0xffff, 0]);
  return record(type, payload, {
    version,
    length: random.chance(0.7) ? payload.length : random.pick(boundaries) & 0xffff,
  });
};

/** Malformed TLS. */
export const tls: Generators = {
  plaintext: (random) =>
    random.pick([
      Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      Buffer.concat([opening(), call(1)]),
      Buffer.from("\r\n"),
      Buffer.from("HELP\n"),
    ]),
  records: (random) => Buffer.concat(Array.from({ length: random.between(1, 4) }, () => anyRecord(random))),
  "truncated hello": (random) => {
    const whole = record(HANDSHAKE, clientHello(random));
    return whole.subarray(0, random.between(1, whole.length - 1));
  },
  "hello in pieces": (random) => {
    const hello = clientHello(random);
    const size = random.pick([1, 2, 5, 60]);
    const pieces = Array.from({ length: Math.ceil(hello.length / size) }, (_, index) =>
      hello.subarray(index * size, (index + 1) * size),
    );
    return Buffer.concat(pieces.map((piece) => record(HANDSHAKE, piece)));
  },
  "offered parameters": (random) => {
    const version = random.pick([0x0303, 0x0303, 0x0302, 0x0301, 0x0300, 0x0304, 0xffff, 0]);
    const alpn = random.pick(["h2", "http/1.1", "h3", "spdy/3", "x".repeat(255), "\0"]);
    const suites = random.pick([[0x1301], [0x00ff, 0x5600, 0x1301], [], [0x0005], [0xffff]]);
    return record(HANDSHAKE, clientHello(random, { version, alpn, suites }));
  },
  "after the hello": (random) => {
    const hello = record(HANDSHAKE, clientHello(random));
    const next = random.pick([
      record(types.changeCipherSpec, Buffer.from([1])),
      record(types.changeCipherSpec, random.bytes(random.below(4))),
      record(types.applicationData, random.bytes(60), { version: 0x0303 }),
      record(types.alert, random.bytes(2)),
      record(types.heartbeat, Buffer.from([1, 0x40, 0])),
      hello,
    ]);
    return Buffer.concat([hello, next, anyRecord(random)]);
  },
  mutated: (random) => mutate(record(HANDSHAKE, clientHello(random)), random),
  garbage: (random) => random.bytes(random.between(1, 300)),
};
