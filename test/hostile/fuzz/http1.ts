import type { Generators } from "./cases.ts";
import { chunks, lengths, lineEnds, methods, names, oddHeaders, targets, versions } from "./http1-dictionary.ts";
import { mutate } from "./mutate.ts";
import type { Random } from "./random.ts";

/** Converts each character to a byte. */
const raw = (text: string): Buffer => Buffer.from(text, "latin1");
const request = (line: string, headers: string[] = [], body = ""): Buffer =>
  raw([line, "Host: localhost", ...headers, "", body].join("\r\n"));

const some = <Item>(random: Random, items: readonly Item[], most: number): Item[] =>
  Array.from({ length: random.between(1, most) }, () => random.pick(items));
const valid = (random: Random): Buffer =>
  request(`${random.pick(["GET", "GET", "HEAD", "POST"])} ${random.pick(names)} HTTP/1.1`, [
    "Accept: text/plain",
    "X-Request-Id: a",
  ]);

/** Malformed requests of HTTP/1.1 (https://www.rfc-editor.org/rfc/rfc9112). */
export const http1: Generators = {
  "request line": (random) => {
    const separator = random.pick([" ", " ", " ", "  ", "\t", "", "\0"]);
    return request([random.pick(methods), random.pick(targets), random.pick(versions)].join(separator));
  },
  target: (random) =>
    request(`${random.pick(["GET", "HEAD"])} ${random.pick(targets)} HTTP/1.1`, ["Accept: application/json"]),
  headers: (random) => {
    const lines = [
      "GET /Ada HTTP/1.1",
      ...(random.chance(0.8) ? ["Host: localhost"] : []),
      ...some(random, oddHeaders, 4),
      "",
      "",
    ];
    const lineEnd = random.chance(0.7) ? "\r\n" : random.pick(lineEnds);
    return raw(lines.join(lineEnd));
  },
  "length and encoding": (random) => {
    const body = random.pick(["", "hello", "hello world", ...chunks]);
    return request(`${random.pick(["GET", "POST"])} / HTTP/1.${random.below(2)}`, some(random, lengths, 3), body);
  },
  "chunked body": (random) =>
    request(
      `${random.pick(["GET", "POST"])} / HTTP/1.1`,
      ["Transfer-Encoding: chunked"],
      some(random, chunks, 6).join(""),
    ),
  "too much": (random) => {
    const size = random.pick([4000, 4096, 4097, 16_000, 16_384, 16_385, 70_000]);
    const many = Array.from({ length: size / 8 }, (_, index) => `a${index}: b`);
    return random.pick([
      request(`GET /${"a".repeat(size)} HTTP/1.1`),
      request("GET / HTTP/1.1", [`X: ${"x".repeat(size)}`]),
      request("GET / HTTP/1.1", [`${"x".repeat(size)}: x`]),
      request("GET / HTTP/1.1", many),
      request("GET / HTTP/1.1", [`Content-Length: ${size}`], "x".repeat(size)),
      raw("\r\n".repeat(size)),
      raw("G".repeat(size)),
    ]);
  },
  pipeline: (random) => {
    const garbage = ["\r\n", "\0", "xxxx", "GET", "HTTP/1.1 200 OK\r\n\r\n", "\x16\x03\x01"];
    const parts = Array.from({ length: random.between(2, 12) }, () =>
      random.chance(0.8) ? valid(random) : raw(random.pick(garbage)),
    );
    return Buffer.concat(parts);
  },
  "upgrade and expect": (random) => {
    const settings = random.pick(["AAMAAABkAARAAAAAAAIAAAAA", "", "%%%", "A".repeat(5000)]);
    const options = [
      ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", `HTTP2-Settings: ${settings}`],
      ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13"],
      ["Connection: Upgrade", `Upgrade: ${random.pick(["TLS/1.0", "\xff", "", "a, b"])}`],
      ["Expect: 100-continue", "Content-Length: 5"],
      [`Expect: ${random.pick(["200-ok", "", "100-continue, x", "\xff"])}`],
    ];
    const line = random.pick(["GET /Ada", "POST /", "CONNECT localhost:80", "CONNECT /", "OPTIONS *"]);
    return request(
      `${line} HTTP/1.1`,
      random.pick(options),
      random.pick(["", "hello", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]),
    );
  },
  truncated: (random) => {
    const whole = valid(random);
    return whole.subarray(0, random.below(whole.length));
  },
  mutated: (random) => mutate(Buffer.concat(Array.from({ length: random.between(1, 3) }, () => valid(random))), random),
  garbage: (random) => random.bytes(random.between(1, 300)),
};
