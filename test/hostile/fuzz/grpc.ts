import { deflateSync, gzipSync } from "node:zlib";
import type { Generators } from "./cases.ts";
import {
  characters,
  contentTypes,
  encodings,
  invalidUtf8,
  metadata,
  paths,
  service,
  timeouts,
  wrongPaths,
} from "./grpc-dictionary.ts";
import { block, call, callHeaders, flag, frame, greetRequest, message, opening, type } from "./frames.ts";
import type { Header } from "./frames.ts";
import { boundaries, mutate } from "./mutate.ts";
import type { Random } from "./random.ts";

/** Varints of a field's length, which are truncated or too large. */
const lengths = [[0x80], [0xff, 0xff, 0xff, 0xff, 0x0f], [...Array.from({ length: 9 }, () => 0xff), 1]];

/** Returns an invalid or unusual GreetRequest (https://protobuf.dev/programming-guides/encoding/). */
const wrongProtobuf = (random: Random): Buffer =>
  random.pick([
    random.bytes(random.below(100)),
    mutate(greetRequest("Ada Lovelace"), random),
    Buffer.from([0x0a, ...random.pick(lengths)]),
    // Unclosed groups, fields without a number, unknown wire types.
    Buffer.alloc(random.pick([1, 100, 30_000]), random.pick([0x0b, 0x0c, 0x00, 0x07, 0x0f, 0x13])),
    Buffer.concat([greetRequest("Ada"), greetRequest("Bob"), Buffer.from([0x98, 0x06, 1])]),
    Buffer.from([0x08, 1]),
  ]);

const compressed = [
  Buffer.alloc(0),
  greetRequest("Ada"),
  gzipSync(greetRequest("Ada")),
  deflateSync(greetRequest("Ada")),
  gzipSync(greetRequest("Ada")).subarray(0, -4),
  // A decompression bomb.
  gzipSync(Buffer.alloc(10_000_000)),
];

/** Returns a call with changed or added headers. */
function callWith(random: Random, changes: readonly Header[], body?: Buffer): Buffer {
  const changed = new Set(changes.map(([name]) => name));
  const kept = callHeaders(random.pick(paths)).filter(([name]) => !changed.has(name));
  return calls(random, [...kept, ...changes], body);
}

/** Returns a call with these headers, pseudo-headers first, and sometimes a valid call after it. */
function calls(random: Random, headers: readonly Header[], body?: Buffer): Buffer {
  const inOrder = headers.toSorted(([a], [b]) => Number(b.startsWith(":")) - Number(a.startsWith(":")));
  return Buffer.concat([opening(), call(1, block(inOrder), body), ...(random.chance(0.3) ? [call(3)] : [])]);
}

/** Malformed gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) over valid HTTP/2. */
export const grpc: Generators = {
  "length prefix": (random) => {
    const payload = random.chance(0.5) ? greetRequest("Ada") : random.bytes(random.between(1, 50));
    const length = random.pick([payload.length - 1, payload.length + 1, random.pick(boundaries)]);
    const body = message(payload, { length });
    return callWith(random, [], random.chance(0.7) ? body : body.subarray(0, random.below(6)));
  },
  compression: (random) => {
    const payload = random.chance(0.8) ? random.pick(compressed) : random.bytes(20);
    const body = message(payload, { compressed: random.pick([0, 1, 1, 1, 2, 0xff]) });
    return callWith(random, random.chance(0.8) ? [["grpc-encoding", random.pick(encodings)]] : [], body);
  },
  protobuf: (random) => callWith(random, [], message(wrongProtobuf(random))),
  names: (random) => {
    const odd = random.pick(random.chance(0.5) ? characters : invalidUtf8);
    const name = random.chance(0.5) ? odd : Buffer.concat([Buffer.from("Ada"), odd]);
    return callWith(random, [[":path", `${service}/Greet`]], message(greetRequest(name)));
  },
  "content type": (random) => callWith(random, [["content-type", random.pick(contentTypes)]]),
  "method and path": (random) => {
    const method = random.pick(["POST", "POST", "GET", "HEAD", "OPTIONS", "CONNECT", "", "post", "\xff"]);
    const path = random.pick(random.chance(0.7) ? wrongPaths : paths);
    return callWith(random, [
      [":method", method],
      [":path", path],
    ]);
  },
  "missing header": (random) => {
    const headers = callHeaders(random.pick(paths));
    headers.splice(random.below(headers.length), 1);
    const te = ["", "gzip", "trailers, deflate"].map((value): Header => ["te", value]);
    return calls(random, random.chance(0.7) ? headers : [...headers, random.pick(te)]);
  },
  timeout: (random) => {
    // A call without a message stays open until its deadline.
    const body = random.chance(0.8) ? undefined : Buffer.alloc(0);
    return callWith(random, [["grpc-timeout", random.pick(timeouts)]], body);
  },
  metadata: (random) => {
    const odd = Array.from({ length: random.between(1, 5) }, () => random.pick(metadata));
    return callWith(random, odd);
  },
  "count of messages": (random) => {
    const count = random.pick([0, 2, 3, 50]);
    const messages = Array.from({ length: count }, (_, index) => message(greetRequest(`Ada ${index}`)));
    const after = random.pick([
      Buffer.alloc(0),
      frame(type.data, flag.endStream, 1, message(greetRequest("late"))),
      frame(type.headers, flag.endHeaders | flag.endStream, 1, block([["x-trailer", "y"]])),
    ]);
    return Buffer.concat([callWith(random, [], Buffer.concat(messages)), after]);
  },
  "unfinished call": (random) => {
    const headers = frame(type.headers, flag.endHeaders, 1, block(callHeaders(random.pick(paths))));
    const body = message(greetRequest("Ada"));
    const data = frame(type.data, 0, 1, random.chance(0.5) ? body : body.subarray(0, random.below(body.length)));
    return Buffer.concat([opening(), headers, ...(random.chance(0.7) ? [data] : [])]);
  },
  "mutated message": (random) => callWith(random, [], mutate(message(greetRequest("Ada Lovelace")), random)),
  "mutated call": (random) => Buffer.concat([opening(), mutate(call(1), random)]),
};
