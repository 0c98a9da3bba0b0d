import type { Command } from "commander";
import { addClientOptions, withClientOptions } from "../platform/cli/client-command.ts";
import { addOutput, addSetting, flagsOf, type OutputFlag, type OutputForm } from "../platform/cli/options.ts";
import type { AddCommand, CommandIo } from "../platform/cli/program.ts";
import { usage } from "../platform/cli/usage.ts";
import { buildInfoJson, formatBuildInfo, readBuildInfo } from "../platform/build-info.ts";
import { readSetting } from "../platform/config/config.ts";
import { createContext, type RequestContext } from "../platform/context.ts";
import { printable } from "../platform/text.ts";
import { createGreeter, type Greeter } from "./greeter.ts";
import { greeterSettings } from "./settings.ts";

/** Adds the command `hello`. */
export const helloCommand: AddCommand = (program, io) => {
  const command = program
    .command("hello")
    .description("greet without a server")
    .argument("[name]", "name to greet")
    .action(async (name: string | undefined, { output }: OutputFlag, self: Command) => {
      const greeting = usage(() => readSetting(greeterSettings.greeting, flagsOf(self)["greeting"], io));
      const greeter = createGreeter(greeting, readBuildInfo);
      io.stdout.write(formatGreeting(await greeter.greet(name, createContext()), output));
    });
  addSetting(command, greeterSettings.greeting);
  addOutput(command);
};

/** Adds the command `call` with a subcommand for each method. */
export const callCommand: AddCommand = (program, io) => {
  const command = addClientOptions(program.command("call").description("call a server over gRPC"));
  addOutput(command);
  command
    .command("greet")
    .description("greet a name")
    .argument("[name]", "name to greet")
    .action((name: string | undefined, _: unknown, self: Command) =>
      withGreeter(self, io, async (greeter, context, output) =>
        formatGreeting(await greeter.greet(name, context), output),
      ),
    );
  command
    .command("version")
    .description("print the build information of the server")
    .action((_: unknown, self: Command) =>
      withGreeter(self, io, async (greeter, context, output) => {
        const buildInfo = await greeter.version(context);
        return output === "json" ? `${buildInfoJson(buildInfo)}\n` : formatBuildInfo(buildInfo);
      }),
    );
};

/** Calls a remote greeter, and prints the text that `call` returns. */
async function withGreeter(
  command: Command,
  io: CommandIo,
  call: (greeter: Greeter, context: RequestContext, output: OutputForm) => Promise<string>,
): Promise<void> {
  const { createGreeterClient } = await import("./client.ts");
  const { output } = command.optsWithGlobals<OutputFlag>();
  await withClientOptions(command, io, async (options, context) => {
    const client = createGreeterClient(options);
    try {
      io.stdout.write(await call(client, context, output));
    } finally {
      client.close();
    }
  });
}

function formatGreeting(message: string, output: OutputForm): string {
  return output === "json" ? `${JSON.stringify({ message })}\n` : `${printable(message)}\n`;
}
