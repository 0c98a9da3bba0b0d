import type { Generate, Generators } from "./cases.ts";
import { block, call, callHeaders, flag, frame, opening, PREFACE, settings, type, uint32 } from "./frames.ts";
import { headerBomb, wrongHeaders, wrongHpack } from "./http2-headers.ts";
import { boundaries, mutate } from "./mutate.ts";

/** Concatenates several outputs of a generator. */
const several =
  (most: number, generate: Generate): Generate =>
  (random) =>
    Buffer.concat(Array.from({ length: random.between(1, most) }, () => generate(random)));

const headers = block(callHeaders());
const begin = (stream: number, flags = flag.endHeaders): Buffer => frame(type.headers, flags, stream, headers);
const reset = (stream: number, code = 8): Buffer => frame(type.rstStream, 0, stream, uint32(code));

/** Malformed input between valid frames. */
const wrong: Generators = {
  "frame header": several(5, (random) => {
    const kind = random.chance(0.7) ? random.below(10) : random.below(256);
    const stream = random.pick([0, 1, 1, 1, 2, 3, 3, 5, 97, 0x7fff_ffff, 0x8000_0001, 0xffff_ffff]);
    const payload = random.bytes(random.below(40));
    const length = random.chance(0.6) ? payload.length : random.pick(boundaries);
    return frame(kind, random.below(256), stream, payload, length);
  }),
  settings: several(30, (random) => {
    const pairs = Array.from({ length: random.below(6) }, (): [number, number] => [
      random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xffff]),
      random.pick(boundaries),
    ]);
    const payload = settings(pairs);
    const flags = random.chance(0.2) ? flag.ack : 0;
    return frame(type.settings, flags, random.chance(0.9) ? 0 : 1, random.chance(0.1) ? payload.subarray(1) : payload);
  }),
  "window update": several(8, (random) => {
    const increment = uint32(random.pick([0, 1, 0x7fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]));
    const stream = random.pick([0, 0, 1, 3, 3, 98]);
    const update = frame(type.windowUpdate, 0, stream, random.chance(0.9) ? increment : increment.subarray(1));
    return random.chance(0.3) ? Buffer.concat([begin(3), update]) : update;
  }),
  "padding and priority": several(4, (random) => {
    const stream = random.pick([3, 5, 7]);
    const padding = Buffer.from([random.pick([0, 1, 5, 100, 255])]);
    const weight = Buffer.from([random.below(256)]);
    const priority = Buffer.concat([uint32(random.pick([0, stream, 0x8000_0000, 9])), weight]);
    const padded = flag.padded | flag.endHeaders;
    return random.pick([
      frame(type.headers, padded | flag.endStream, stream, Buffer.concat([padding, headers])),
      frame(type.headers, padded, stream),
      frame(type.headers, flag.endHeaders | flag.priority, stream, Buffer.concat([priority, headers])),
      frame(type.priority, 0, random.pick([0, stream]), random.chance(0.8) ? priority : priority.subarray(1)),
      Buffer.concat([begin(stream), frame(type.data, flag.padded, stream, Buffer.concat([padding, random.bytes(5)]))]),
    ]);
  }),
  headers: several(2, (random) => call(random.pick([3, 5, 7]), wrongHeaders(random))),
  HPACK: (random) => {
    const pieces = random.chance(0.3) ? headerBomb(random) : Buffer.concat([headers, wrongHpack(random)]);
    return call(3, random.chance(0.5) ? pieces : Buffer.concat([pieces, headers]));
  },
  continuation: (random) => {
    const piece = several(6, () =>
      random.pick([
        frame(type.continuation, 0, 3, headers.subarray(10, 20)),
        frame(type.continuation, 0, 3),
        frame(type.continuation, flag.endHeaders, random.pick([0, 1, 3, 5]), headers.subarray(10)),
        frame(type.data, 0, 3, random.bytes(5)),
        frame(type.ping, 0, 0, random.bytes(8)),
        frame(99, 0, 3, random.bytes(5)),
      ]),
    );
    const start = random.chance(0.8) ? frame(type.headers, 0, 3, headers.subarray(0, 10)) : Buffer.alloc(0);
    const flood = Array.from({ length: random.chance(0.1) ? 200 : 0 }, () =>
      frame(type.continuation, 0, 3, block([["a", "b"]])),
    );
    return Buffer.concat([start, ...flood, piece(random)]);
  },
  "states of a stream": several(12, (random) => {
    const stream = random.pick([1, 3, 3, 5, 5, 2, 98]);
    return random.pick([
      begin(stream),
      begin(stream, flag.endHeaders | flag.endStream),
      call(stream),
      frame(type.data, random.below(2), stream, random.bytes(random.below(20))),
      frame(type.rstStream, 0, stream, random.bytes(3)),
      reset(stream, random.pick(boundaries)),
      Buffer.concat([begin(stream), reset(stream)]),
    ]);
  }),
  control: several(8, (random) => {
    const last = uint32(random.pick(boundaries), random.pick(boundaries));
    return random.pick([
      frame(type.ping, random.below(2), random.pick([0, 0, 1]), random.bytes(random.pick([8, 8, 0, 7, 9]))),
      frame(type.goaway, 0, random.pick([0, 0, 1]), Buffer.concat([last, random.bytes(random.below(9))])),
      frame(type.pushPromise, flag.endHeaders, 1, Buffer.concat([uint32(2), headers])),
      frame(random.pick([0xa, 0xc, 0x10]), 0, random.pick([0, 1]), random.bytes(random.below(30))),
    ]);
  }),
};

/** Puts malformed input between valid calls. The last call shows whether the connection still works. */
const amid =
  (generate: Generate): Generate =>
  (random) => {
    const [before, after] = [random.chance(0.5) ? [call(1)] : [], random.chance(0.5) ? [call(99)] : []];
    return Buffer.concat([opening(), ...before, generate(random), ...after]);
  };

/** Malformed frames of HTTP/2 (https://www.rfc-editor.org/rfc/rfc9113). */
export const http2: Generators = {
  ...Object.fromEntries(Object.entries(wrong).map(([kind, generate]) => [kind, amid(generate)])),
  preface: (random) =>
    random.pick([
      mutate(PREFACE, random),
      PREFACE.subarray(0, random.below(PREFACE.length)),
      Buffer.concat([PREFACE, begin(1), call(3)]),
      Buffer.concat([PREFACE, opening()]),
      Buffer.concat([PREFACE, random.bytes(random.between(1, 100))]),
      Buffer.concat([mutate(PREFACE, random), frame(type.settings, 0, 0), call(1)]),
    ]),
  "many resets": (random) => {
    const streams = Array.from({ length: random.between(10, 300) }, (_, index) => 2 * index + 1);
    return Buffer.concat([opening(), ...streams.flatMap((stream) => [begin(stream), reset(stream)])]);
  },
  truncated: (random) => {
    const whole = Buffer.concat([opening(), call(1)]);
    return whole.subarray(0, random.below(whole.length));
  },
  mutated: (random) => {
    const greeted = [opening([[3, 100]]), call(1), frame(type.ping, 0, 0, Buffer.alloc(8)), call(3)];
    return mutate(Buffer.concat(greeted), random);
  },
};
