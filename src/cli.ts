import { callCommand, helloCommand } from "./greeter/commands.ts";
import { greeterSettings } from "./greeter/settings.ts";
import { checkHealthCommand, serveCommand, versionCommand } from "./platform/cli/commands.ts";
import { runProgram, type Io } from "./platform/cli/program.ts";
import { platformSettings } from "./platform/config/settings.ts";

/** Every setting of `serve`, in the order of the help. */
export const settings = { ...greeterSettings, ...platformSettings };

/** Every command, in the order of the help. */
const commands = [
  serveCommand(settings, async () => (await import("./serve.ts")).serve),
  helloCommand,
  callCommand,
  checkHealthCommand,
  versionCommand,
];

/**
 * Runs one command.
 * @param args arguments after the program's name
 * @returns exit code: 0 on success, 1 if the command failed, 2 if the command line or a setting is wrong
 */
export function run(args: string[], io: Io): Promise<number> {
  return runProgram("Greetings over gRPC, HTTP and the command line", commands, args, io);
}
