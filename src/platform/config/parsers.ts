import { BlockList, isIP } from "node:net";
import { parseAddress } from "./address.ts";
import type { Address } from "./address.ts";
import { checkText, InvalidArgumentError, quote } from "../../greeter/greeter.ts";

/**
 * Reads the value of a flag or variable.
 * @param text what the operator wrote
 * @param name the flag or variable, for the error
 * @throws {InvalidArgumentError} names it, quotes the text and says what is expected
 */
export type Parse<Value> = (text: string, name: string) => Value;

/** A greeting, under the rule of names. */
export const greeting: Parse<string> = (text, name) => checkText(name, text);

/** `host:port`. */
export const address: Parse<Address> = (text, name) =>
  parseAddress(text) ?? expected("host:port, for example 0.0.0.0:8080, [::]:8080 or :8080", text, name);

/** A gRPC target: `host:port`, or another form of https://github.com/grpc/grpc/blob/master/doc/naming.md with its scheme. */
export const target: Parse<string> = (text, name) => {
  const { host, port } = parseAddress(text) ?? { host: "", port: 0 };
  if ((host !== "" && port > 0) || /^(dns|ipv4|ipv6|unix|unix-abstract):./.test(text)) return text;
  return expected("host:port, for example localhost:50051, or dns:///host:port", text, name);
};

/** Node's timers hold no more milliseconds than a signed 32-bit integer: a longer one would fire at once. */
const MAX_DURATION = 2 ** 31 - 1;

/** `250ms`, `5s`, `2m` or `1h`; the value is in milliseconds. */
export const duration: Parse<number> = (text, name) => {
  const [, amount, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  const milliseconds = Number(amount) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as "ms" | "s" | "m" | "h"];
  if (milliseconds <= MAX_DURATION) return milliseconds;
  return expected("a duration up to 24 days, for example 250ms, 5s, 2m or 1h", text, name);
};

/** A whole number from 1 on. */
export const count: Parse<number> = (text, name) =>
  /^[1-9]\d{0,8}$/.test(text) ? Number(text) : expected("a whole number from 1 to 999999999", text, name);

/** `512B`, `64KiB` or `1MiB`; the value is in bytes. */
export const size: Parse<number> = (text, name) => {
  const [, amount, unit] = /^([1-9]\d{0,3})(B|KiB|MiB)$/.exec(text) ?? [];
  if (amount === undefined) return expected("a size of up to 9999MiB, for example 512B, 64KiB or 1MiB", text, name);
  return Number(amount) * { B: 1, KiB: 1024, MiB: 1024 ** 2 }[unit as "B" | "KiB" | "MiB"];
};

/** Addresses and networks: `10.0.0.0/8,fd00::/8,192.0.2.1`; empty for none. */
export const networks: Parse<BlockList> = (text, name) => {
  const list = new BlockList();
  for (const network of text === "" ? [] : text.split(",")) {
    const [, address = "", length] = /^ *([^ /]+?)(?:\/(\d{1,3}))? *$/.exec(network) ?? [];
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    const longest = family === "ipv6" ? 128 : 32;
    const prefix = Number(length ?? longest);
    if (isIP(address) === 0 || prefix > longest) {
      return expected("addresses or networks separated by commas, for example 10.0.0.0/8,fd00::/8", text, name);
    }
    list.addSubnet(address, prefix, family);
  }
  return list;
};

/** A file's path; empty for none. */
export const file: Parse<string> = (text, name) =>
  text.includes("\0") ? expected("the path of a file", text, name) : text;

/** One of a few words. */
export function oneOf<Word extends string>(...words: Word[]): Parse<Word> {
  return (text, name) => words.find((word) => word === text) ?? expected(`one of ${words.join(", ")}`, text, name);
}

/** `true` or `false`. */
export const boolean: Parse<boolean> = (text, name) => oneOf("true", "false")(text, name) === "true";

function expected(what: string, text: string, name: string): never {
  throw new InvalidArgumentError(`Invalid ${name} ${quote(text)}: expected ${what}`);
}

/** How severe a message must be to be logged, from the least on. */
export const logLevel = oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent");
