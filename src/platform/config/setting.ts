import { identity } from "../identity.ts";
import type { Parse } from "./parsers.ts";

/** One setting: a flag and an environment variable. The flag wins. */
export interface Setting<Value> {
  /** As the command line takes it, with a name for its value: `--addr <host:port>`. */
  flags: string;
  variable: string;
  default: string;
  /** Default on a terminal, if it differs. */
  terminalDefault?: string;
  description: string;
  parse: Parse<Value>;
}

/** A table of settings, by the flag's name in camel case, in the order of the help. */
export type Settings = Record<string, Setting<unknown>>;

/** Row of a table: default, parser, description, and what differs from the rule. */
type Row<Value> = [value: string, parse: Parse<Value>, description: string, more?: Partial<Setting<Value>>];

/**
 * Declares a table of settings. The flag and the variable follow from the name: `httpAddr` has `--http-addr` and `…_HTTP_ADDR`. A boolean
 * has no value on the command line, and `--no-` before its name if it is on by default.
 */
export function settingsTable<Values extends Record<string, unknown>>(rows: {
  [Name in keyof Values]: Row<Values[Name]>;
}): { [Name in keyof Values]: Setting<Values[Name]> } {
  const entries = Object.entries<Row<unknown>>(rows).map(([name, [value, parse, description, more]]) => {
    const words = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const isSwitch = parse.placeholder === "";
    const flags = isSwitch ? `--${value === "true" ? "no-" : ""}${words}` : `--${words} ${parse.placeholder}`;
    const variable = identity.variablePrefix + words.toUpperCase().replaceAll("-", "_");
    return [name, { flags, variable, default: value, description, parse, ...more }] as const;
  });
  return Object.fromEntries(entries) as { [Name in keyof Values]: Setting<Values[Name]> };
}
