import { BlockList, isIP } from "node:net";
import { invalidArgument } from "../errors.ts";
import { quote } from "../text.ts";
import { parseAddress, type Address } from "./address.ts";

/** Parser of the values of flags and variables. */
export interface Parse<Value> {
  /**
   * @param text the operator's text
   * @param name name of the flag or variable, for the error
   * @throws {ServiceError} INVALID_ARGUMENT: names the setting, quotes the text and says what is expected
   */
  (text: string, name: string): Value;
  /** Name of the value in the help, such as `<host:port>`; empty for a switch. */
  placeholder: string;
}

/** Creates a parser from a function that returns undefined for an invalid text. */
export function parser<Value>(
  placeholder: string,
  expected: string,
  parse: (text: string) => Value | undefined,
): Parse<Value> {
  const parseNamed = (text: string, name: string): Value => {
    const value = parse(text);
    if (value === undefined) throw invalidArgument(`Invalid ${name} ${quote(text)}: expected ${expected}`);
    return value;
  };
  return Object.assign(parseNamed, { placeholder });
}

/** `host:port`. */
export const address = parser<Address>(
  "<host:port>",
  "host:port, for example 0.0.0.0:8080, [::]:8080 or :8080",
  parseAddress,
);

/** A gRPC target: `host:port`, or another form of https://github.com/grpc/grpc/blob/master/doc/naming.md with its scheme. */
export const target = parser("<host:port>", "host:port, for example localhost:50051, or dns:///host:port", (text) => {
  const { host, port } = parseAddress(text) ?? { host: "", port: 0 };
  return (host !== "" && port > 0) || /^(dns|ipv4|ipv6|unix|unix-abstract):./.test(text) ? text : undefined;
});

/** Maximum of a timer of Node, in milliseconds: a longer one fires at once. */
const MAX_DURATION_MS = 2 ** 31 - 1;

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, B: 1, KiB: 1024, MiB: 1024 ** 2 };

function amount(pattern: RegExp, text: string): number {
  const [, count, unit] = pattern.exec(text) ?? [];
  return Number(count) * units[unit as keyof typeof units];
}

/** `250ms`, `5s`, `2m` or `1h`; the value is in milliseconds. */
export const duration = parser("<duration>", "a duration up to 24 days, for example 250ms, 5s, 2m or 1h", (text) => {
  const milliseconds = amount(/^(\d+)(ms|s|m|h)$/, text);
  return milliseconds <= MAX_DURATION_MS ? milliseconds : undefined;
});

/** `512B`, `64KiB` or `1MiB`; the value is in bytes. */
export const size = parser(
  "<size>",
  "a size of up to 9999MiB, for example 512B, 64KiB or 1MiB",
  (text) => amount(/^([1-9]\d{0,3})(B|KiB|MiB)$/, text) || undefined,
);

/** A whole number, at least 1. */
export const count = parser("<count>", "a whole number from 1 to 999999999", (text) =>
  /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined,
);

/** Addresses and networks: `10.0.0.0/8,fd00::/8,192.0.2.1`; empty for none. */
export const networks = parser(
  "<networks>",
  "addresses or networks separated by commas, for example 10.0.0.0/8,fd00::/8",
  (text) => {
    const list = new BlockList();
    for (const network of text === "" ? [] : text.split(",")) {
      const [, address = "", length] = /^ *([^ /]+?)(?:\/(\d{1,3}))? *$/.exec(network) ?? [];
      const [family, longest] = isIP(address) === 6 ? (["ipv6", 128] as const) : (["ipv4", 32] as const);
      const prefix = Number(length ?? longest);
      if (isIP(address) === 0 || prefix > longest) return undefined;
      list.addSubnet(address, prefix, family);
    }
    return list;
  },
);

/** A file's path; empty for none. */
export const file = parser("<file>", "the path of a file", (text) => (text.includes("\0") ? undefined : text));

/** One of a few words. */
export function oneOf<Word extends string>(placeholder: string, ...words: Word[]): Parse<Word> {
  return parser(placeholder, `one of ${words.join(", ")}`, (text) => words.find((word) => word === text));
}

export const logLevel = oneOf("<level>", "trace", "debug", "info", "warn", "error", "fatal", "silent");
export const accessLog = oneOf("<which>", "all", "errors", "off");
export const clientAuth = oneOf("<when>", "required", "optional");
export const outputForm = oneOf("<form>", "text", "json");

/** A switch: `true` or `false` as a variable. */
export const boolean = parser("", "one of true, false", (text) =>
  text === "true" || text === "false" ? text === "true" : undefined,
);
