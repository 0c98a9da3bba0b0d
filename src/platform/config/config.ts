import type { Setting, Settings } from "./setting.ts";

/** Value of each setting of a table. Durations are in milliseconds, sizes in bytes. */
export type Config<S extends Settings> = { readonly [Name in keyof S]: ReturnType<S[Name]["parse"]> };

/** Texts of the given flags, by the name of their setting. */
export type Flags = Readonly<Record<string, string>>;

/** Sources of a setting besides its flag. */
export interface Environment {
  env: NodeJS.ProcessEnv;
  /** Whether the output is a terminal. */
  terminal: boolean;
}

/**
 * Reads every setting of a table.
 * @throws {ServiceError} INVALID_ARGUMENT: names the first invalid setting, quotes its value and says what is expected
 */
export function readConfig<S extends Settings>(settings: S, flags: Flags, environment: Environment): Config<S> {
  const read = ([name, setting]: [string, Setting<unknown>]) => [name, readSetting(setting, flags[name], environment)];
  return Object.freeze(Object.fromEntries(Object.entries(settings).map(read))) as Config<S>;
}

/**
 * Reads one setting: its flag, or else its variable, or else its default.
 * @throws {ServiceError} INVALID_ARGUMENT: see {@link readConfig}
 */
export function readSetting<Value>(
  setting: Setting<Value>,
  flag: string | undefined,
  { env, terminal }: Environment,
): Value {
  if (flag !== undefined) return setting.parse(flag, flagName(setting));
  const fallback = (terminal && setting.terminalDefault) || setting.default;
  return setting.parse(env[setting.variable] ?? fallback, setting.variable);
}

/** Returns `--addr` of `--addr <host:port>`. */
function flagName({ flags }: Setting<unknown>): string {
  return /--[\w-]+/.exec(flags)![0];
}
