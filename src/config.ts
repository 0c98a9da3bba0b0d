import { parseAddress } from "./address.ts";
import type { Address } from "./address.ts";
import { checkText, DEFAULT_GREETING, InvalidArgumentError, quote } from "./greeter.ts";

/** One thing that an operator may set, by a flag or by an environment variable; the flag wins. */
export interface Setting<Value> {
  /** As the command line takes it, with a name for its value: `--addr <host:port>`. */
  flags: string;
  variable: string;
  default: string;
  description: string;
  /**
   * @param name the flag or variable that gave the text, for the error
   * @throws {InvalidArgumentError} quotes the text and says what is expected
   */
  parse: (text: string, name: string) => Value;
}

/** Every setting of `serve`, by its flag in camel case, in the order of the help. */
export const settings = {
  greeting: {
    flags: "-g, --greeting <text>",
    variable: "GREETER_GREETING",
    default: DEFAULT_GREETING,
    description: "the word before the name",
    parse: (text: string, name: string): string => checkText(name, text),
  },
  addr: {
    flags: "--addr <host:port>",
    variable: "GREETER_ADDR",
    default: "0.0.0.0:8080",
    description: "where HTTP listens",
    parse: address,
  },
  grpcAddr: {
    flags: "--grpc-addr <host:port>",
    variable: "GREETER_GRPC_ADDR",
    default: "0.0.0.0:50051",
    description: "where gRPC listens",
    parse: address,
  },
  logLevel: {
    flags: "--log-level <level>",
    variable: "GREETER_LOG_LEVEL",
    default: "info",
    description: "the least severe messages to log: trace, debug, info, warn, error, fatal or silent",
    parse: oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
  },
} satisfies Record<string, Setting<unknown>>;

type Settings = typeof settings;

/** The value of every setting. */
export type Config = { readonly [Name in keyof Settings]: ReturnType<Settings[Name]["parse"]> };

/** The texts of the flags that were given, by setting. */
export type Flags = { readonly [Name in keyof Settings]?: string };

/**
 * Reads every setting, before anything is started.
 * @throws {InvalidArgumentError} the first bad one: names it, quotes its value, says what is expected
 */
export function readConfig(flags: Flags, environment: NodeJS.ProcessEnv): Config {
  const names = Object.keys(settings) as (keyof Settings)[];
  const entries = names.map((name) => [name, readSetting(name, flags, environment)]);
  return Object.freeze(Object.fromEntries(entries) as Config);
}

/** Reads one setting, as {@link readConfig} does. */
export function readSetting<Name extends keyof Settings>(
  name: Name,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
): Config[Name] {
  const setting: Setting<unknown> = settings[name];
  const flag = flags[name];
  const value =
    flag === undefined
      ? setting.parse(environment[setting.variable] ?? setting.default, setting.variable)
      : setting.parse(flag, flagName(setting));
  return value as Config[Name];
}

/** `--addr` of `--addr <host:port>`. */
function flagName({ flags }: Setting<unknown>): string {
  return /--[\w-]+/.exec(flags)![0];
}

function address(text: string, name: string): Address {
  return parseAddress(text) ?? expected("host:port, for example 0.0.0.0:8080, [::]:8080 or :8080", text, name);
}

/**
 * Reads a duration, `250ms`, `5s` or `2m`.
 * @returns milliseconds
 */
export function duration(text: string, name: string): number {
  const [, amount, unit] = /^(\d+)(ms|s|m)$/.exec(text) ?? [];
  const milliseconds = Number(amount) * { ms: 1, s: 1000, m: 60_000 }[unit as "ms" | "s" | "m"];
  return milliseconds <= MAX_DURATION
    ? milliseconds
    : expected("a duration up to 24 days, for example 250ms, 5s or 2m", text, name);
}

/** Node's timers hold no more milliseconds than a signed 32-bit integer: a longer one would fire at once. */
const MAX_DURATION = 2 ** 31 - 1;

/** Reads one of a few words. */
export function oneOf<Word extends string>(...words: Word[]): (text: string, name: string) => Word {
  return (text, name) => words.find((word) => word === text) ?? expected(`one of ${words.join(", ")}`, text, name);
}

function expected(what: string, text: string, name: string): never {
  throw new InvalidArgumentError(`Invalid ${name} ${quote(text)}: expected ${what}`);
}
