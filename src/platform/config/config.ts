import { InvalidArgumentError } from "../../greeter/greeter.ts";
import { settings } from "./settings.ts";
import type { Setting } from "./settings.ts";

type Settings = typeof settings;

/** The value of every setting; durations are in milliseconds. */
export type Config = { readonly [Name in keyof Settings]: ReturnType<Settings[Name]["parse"]> };

/** The texts of the flags that were given, by setting. */
export type Flags = { readonly [Name in keyof Settings]?: string };

/** Where the settings that no flag gives come from. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** Whether somebody sits at a terminal. */
  terminal: boolean;
}

/**
 * Reads every setting, before anything is started.
 * @throws {InvalidArgumentError} the first bad one: names it, quotes its value, says what is expected
 */
export function readConfig(flags: Flags, surroundings: Surroundings): Config {
  const names = Object.keys(settings) as (keyof Settings)[];
  const entries = names.map((name) => [name, readSetting(name, flags, surroundings)]);
  const config = Object.fromEntries(entries) as Config;
  checkTogether(config);
  return Object.freeze(config);
}

/** What no setting can tell by itself. */
function checkTogether({ tlsCert, tlsKey, tlsClientCa }: Config): void {
  const missing = tlsCert === "" ? "--tls-cert" : tlsKey === "" ? "--tls-key" : undefined;
  const given = [tlsCert, tlsKey, tlsClientCa].some((path) => path !== "");
  if (given && missing) {
    throw new InvalidArgumentError(`Missing ${missing}: expected a certificate and its key, or no setting of TLS`);
  }
}

/** Reads one setting, as {@link readConfig} does. */
export function readSetting<Name extends keyof Settings>(
  name: Name,
  flags: Flags,
  { env, terminal }: Surroundings,
): Config[Name] {
  const setting: Setting<unknown> = settings[name];
  const flag = flags[name];
  const fallback = (terminal && setting.terminalDefault) || setting.default;
  const value =
    flag === undefined
      ? setting.parse(env[setting.variable] ?? fallback, setting.variable)
      : setting.parse(flag, flagName(setting));
  return value as Config[Name];
}

/** `--addr` of `--addr <host:port>`. */
function flagName({ flags }: Setting<unknown>): string {
  return /--[\w-]+/.exec(flags)![0];
}
