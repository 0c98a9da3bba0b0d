import { grpc } from "./grpc.ts";
import { http1 } from "./http1.ts";
import { http2 } from "./http2.ts";
import { mutate, split } from "./mutate.ts";
import { randomOf } from "./random.ts";
import type { Random } from "./random.ts";
import { tls } from "./tls.ts";

/** Makes the bytes of a case. */
export type Generate = (random: Random) => Buffer;
/** Those of a protocol, by the kind of case. */
export type Generators = Record<string, Generate>;

/** What is sent on one connection. */
export interface Case {
  index: number;
  /** What is wrong with it. */
  kind: string;
  port: "http" | "grpc";
  /** Whether it comes after a handshake, or in place of one, to the service that speaks TLS; otherwise it goes to the one that does not. */
  tls: "none" | "after handshake" | "instead of handshake";
  /** In which pieces it is sent. */
  pieces: Buffer[];
  /** What the peer does then: wait for the end, close its side, or break the connection. */
  ending: "wait" | "close" | "reset";
  /** Whether it reads what it is answered. */
  reads: boolean;
}

const kinds = Object.entries({
  "http/1.1": { generators: http1, port: "http" },
  "http/2": { generators: http2, port: "grpc" },
  grpc: { generators: grpc, port: "grpc" },
  tls: { generators: tls, port: undefined },
} as const).flatMap(([protocol, { generators, port }]) =>
  Object.entries(generators).map(([name, generate]) => ({ kind: `${protocol} ${name}`, port, generate })),
);

/** The case of a seed with a number: always the same. */
export function caseOf(seed: number, index: number): Case {
  const random = randomOf(seed, index);
  const { kind, port, generate } = random.pick(kinds);
  const generated = generate(random);
  const bytes = random.chance(0.1) && generated.length > 0 ? mutate(generated, random) : generated;
  const pieces = random.chance(0.3) ? split(bytes, random) : [bytes];
  const handshake = random.chance(0.25) ? "after handshake" : "none";
  // Now and then a client has the wrong port.
  const anyPort = random.pick(["http", "grpc"] as const);
  return {
    index,
    kind,
    port: port === undefined || random.chance(0.05) ? anyPort : port,
    tls: port === undefined ? "instead of handshake" : handshake,
    pieces,
    ending: random.pick(["wait", "close", "close", "close", "reset"]),
    reads: random.chance(0.95),
  };
}
