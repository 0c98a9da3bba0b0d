import { Command, CommanderError } from "commander";
import type { Environment } from "../config/config.ts";
import { identity } from "../identity.ts";
import type { Output } from "../telemetry/log.ts";
import { UsageError } from "./usage.ts";

/** Parts of the process that a command line uses. */
export interface Io {
  stdout: Output;
  stderr: Output;
  env: NodeJS.ProcessEnv;
}

/** Everything that a command gets besides its arguments: the sources of the settings, too. */
export interface CommandIo extends Io, Environment {
  /** Sets the exit code of a command that succeeded. */
  exitWith: (code: number) => void;
}

/** Adds a command to the program. Its action loads what it needs when it runs, so that other commands start fast. */
export type AddCommand = (program: Command, io: CommandIo) => void;

/**
 * Runs one command.
 * @param commands every command, in the order of the help
 * @param args arguments after the program's name
 * @returns exit code: 0 on success, 1 if the command failed, 2 if the command line or a setting is wrong
 */
export async function runProgram(
  description: string,
  commands: readonly AddCommand[],
  args: string[],
  { stdout, stderr, env }: Io,
): Promise<number> {
  let exitCode = 0;
  const exitWith = (code: number): void => void (exitCode = code);
  const io: CommandIo = { stdout, stderr, env, terminal: stdout.isTTY === true, exitWith };
  try {
    const program = new Command(identity.name)
      .description(description)
      .exitOverride()
      .configureHelp({ showGlobalOptions: true })
      .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) });
    for (const addCommand of commands) addCommand(program, io);
    shortenUsage(program, identity.name);
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // commander has written its message already, and throws for --help too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = error instanceof Error ? error.message : String(error);
    // A message of OpenSSL has several lines.
    const line = message.trim().replaceAll(/\s*[\r\n]\s*/g, " ");
    stderr.write(`${args[0]}: ${line.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Makes a command and its subcommands print a short usage after an error, and removes the command `help`. */
function shortenUsage(command: Command, path: string): void {
  command.helpCommand(false);
  command.showHelpAfterError(`Usage: ${path} ${command.usage()}\nRun "${path} --help" for its options`);
  for (const subcommand of command.commands) shortenUsage(subcommand, `${path} ${subcommand.name()}`);
}
