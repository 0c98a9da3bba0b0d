import type { Command } from "commander";
import type { Flags } from "../config/config.ts";
import { outputForm } from "../config/parsers.ts";
import type { Setting } from "../config/setting.ts";
import { usage } from "./usage.ts";

/** Form of a command's output: for people, or JSON for scripts. */
export type OutputForm = ReturnType<typeof outputForm>;

/** Value that {@link addOutput} gives to a command's action. */
export interface OutputFlag {
  output: OutputForm;
}

/** Adds `--output` to a command. */
export function addOutput(command: Command): void {
  command.option("--output <form>", "text or json", (text) => usage(() => outputForm(text, "--output")), "text");
}

/** Adds the flag of a setting to a command. The help names its default and its variable. */
export function addSetting(command: Command, { flags, variable, description, ...setting }: Setting<unknown>): void {
  const terminal = setting.terminalDefault ? `, "${setting.terminalDefault}" on a terminal` : "";
  const value = setting.default === "" ? "none" : `"${setting.default}"`;
  // The default of a switch is that its flag is absent.
  const isSwitch = setting.parse.placeholder === "";
  command.option(flags, `${description} (${isSwitch ? "" : `default: ${value}${terminal}, `}env: ${variable})`);
}

/** Returns the flags of the command line, without commander's defaults: they would hide the variables. */
export function flagsOf(command: Command): Flags {
  const values = Object.entries(command.opts<Record<string, unknown>>());
  const given = values.filter(([name]) => command.getOptionValueSource(name) === "cli");
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}
