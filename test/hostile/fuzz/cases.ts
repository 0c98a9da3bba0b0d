import { grpc } from "./grpc.ts";
import { http1 } from "./http1.ts";
import { http2 } from "./http2.ts";
import { mutate, split } from "./mutate.ts";
import { randomOf } from "./random.ts";
import type { Random } from "./random.ts";
import { tls } from "./tls.ts";

/** Generates the bytes of a case. */
export type Generate = (random: Random) => Buffer;
/** Generators of a protocol, by the kind of case. */
export type Generators = Record<string, Generate>;

/** The input of one connection. */
export interface Case {
  index: number;
  /** Kind of malformed input. */
  kind: string;
  port: "http" | "grpc";
  /** Position of the bytes on a connection to the service with TLS; `none` for the service without. */
  tls: "none" | "after handshake" | "instead of handshake";
  /** The bytes, in the pieces that are sent one by one. */
  pieces: Buffer[];
  /** Action after the last piece: wait for the service to close, close the peer's side, or reset the connection. */
  ending: "wait" | "close" | "reset";
  /** Whether the peer reads. */
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

/** Returns a case of a seed by its index. The result is always the same. */
export function caseOf(seed: number, index: number): Case {
  const random = randomOf(seed, index);
  const { kind, port, generate } = random.pick(kinds);
  const generated = generate(random);
  const bytes = random.chance(0.1) && generated.length > 0 ? mutate(generated, random) : generated;
  const pieces = random.chance(0.3) ? split(bytes, random) : [bytes];
  const handshake = random.chance(0.25) ? "after handshake" : "none";
  // Some clients use the wrong port.
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
