import type { Command } from "commander";
import type { Flags } from "./config.ts";
import type { OutputForm } from "../../greeter/printer.ts";
import type { Setting } from "./settings.ts";
import { usage } from "./usage.ts";
import { oneOf } from "./parsers.ts";

/** What {@link addOutput} gives a command. */
export interface OutputFlag {
  output: OutputForm;
}

/** Gives a command `--output`. */
export function addOutput(command: Command): void {
  const parse = oneOf("text", "json");
  command.option("--output <form>", "text or json", (text) => usage(() => parse(text, "--output")), "text");
}

/** Gives a command the flag of a setting, with its default and its variable in the help. */
export function addSetting(command: Command, { flags, variable, description, ...setting }: Setting<unknown>): void {
  const value = setting.default === "" ? "none" : `"${setting.default}"`;
  const terminal = setting.terminalDefault ? `, "${setting.terminalDefault}" on a terminal` : "";
  command.option(flags, `${description} (default: ${value}${terminal}, env: ${variable})`);
}

/** The flags that were given. commander has defaults of its own for some, and a variable would not get past them. */
export function flagsOf(command: Command): Flags {
  const given = Object.entries(command.opts<Record<string, unknown>>()).filter(
    ([name]) => command.getOptionValueSource(name) === "cli",
  );
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}
