import { Command, CommanderError } from "commander";
import { duration, oneOf, readConfig, readSetting, settings } from "./config.ts";
import type { Flags, Setting } from "./config.ts";
import type { Greeter } from "./greeter.ts";

/** What a command line has of its process. */
export interface Io {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
  env: NodeJS.ProcessEnv;
}

/** The command line or a setting was wrong. */
class UsageError extends Error {}

/**
 * Runs one command.
 * @param args the arguments after the program's name
 * @returns the exit code: 0 when it did what it should, 1 when it could not, 2 when the command line or a setting was wrong
 */
export async function run(args: string[], io: Io): Promise<number> {
  try {
    await createProgram(io).parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    // commander has written its message already, and throws for --help too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = error instanceof Error ? error.message : String(error);
    io.stderr.write(`${args[0]}: ${message.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** The table of commands. What a command needs beyond its arguments is loaded when it runs. */
function createProgram(io: Io): Command {
  const program = new Command("greeter")
    .description("One greeting over gRPC, HTTP and the command line")
    .exitOverride()
    .showHelpAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) });

  const serve = program
    .command("serve")
    .description("serve the greeting over HTTP and gRPC, until SIGINT or SIGTERM")
    .action(async (flags: Flags) => {
      const config = usage(() => readConfig(flags, io.env));
      const { serve } = await import("./serve.ts");
      await serve(config, io.stdout);
    });
  for (const setting of Object.values(settings)) addSetting(serve, setting);

  const hello = program
    .command("hello")
    .description("greet somebody, without a server")
    .argument("[name]", "whom to greet")
    .action(async (name: string | undefined, flags: Flags & OutputFlag) => {
      const greeting = usage(() => readSetting("greeting", flags, io.env));
      await printGreeting(await localGreeter(greeting), name, flags);
    });
  addSetting(hello, settings.greeting);
  addOutput(hello);

  const call = program
    .command("call")
    .description("ask a Greeter server over gRPC")
    .option("--target <host:port>", "the server", "localhost:50051")
    .option("--timeout <duration>", "how long the answer may take", "5s");
  addOutput(call);
  call
    .command("greet")
    .description("ask it for a greeting")
    .argument("[name]", "whom to greet")
    .action((name: string | undefined, _: unknown, command: Command) =>
      withServer(command.optsWithGlobals(), (greeter, flags) => printGreeting(greeter, name, flags)),
    );
  call
    .command("version")
    .description("ask it what it is running")
    .action((_: unknown, command: Command) => withServer(command.optsWithGlobals(), printVersion));

  const version = program
    .command("version")
    .description("tell what is running here")
    .action(async (flags: OutputFlag) => printVersion(await localGreeter(settings.greeting.default), flags));
  addOutput(version);

  async function printGreeting(greeter: Greeter, name: string | undefined, flags: OutputFlag): Promise<void> {
    const message = await greeter.greet(name);
    const { greetingJson } = await import("./json.ts");
    io.stdout.write(`${flags.output === "json" ? greetingJson(message) : message}\n`);
  }

  async function printVersion(greeter: Greeter, flags: OutputFlag): Promise<void> {
    const buildInfo = await greeter.version();
    const [{ formatBuildInfo }, { buildInfoJson }] = await Promise.all([
      import("./build-info.ts"),
      import("./json.ts"),
    ]);
    io.stdout.write(flags.output === "json" ? `${buildInfoJson(buildInfo)}\n` : formatBuildInfo(buildInfo));
  }

  return program;
}

interface OutputFlag {
  output: "text" | "json";
}

interface CallFlags extends OutputFlag {
  target: string;
  timeout: string;
}

function addOutput(command: Command): void {
  const parse = oneOf("text", "json");
  command.option("--output <form>", "text or json", (text) => usage(() => parse(text, "--output")), "text");
}

function addSetting(command: Command, { flags, variable, default: value, description }: Setting<unknown>): void {
  // The default is not commander's: it would hide that the flag was not given, and with it the variable.
  command.option(flags, `${description} (default: "${value}", env: ${variable})`);
}

async function localGreeter(greeting: string): Promise<Greeter> {
  const [{ createGreeter }, { readBuildInfo }] = await Promise.all([import("./greeter.ts"), import("./build-info.ts")]);
  return createGreeter({ greeting, buildInfo: readBuildInfo });
}

async function withServer(flags: CallFlags, ask: (greeter: Greeter, flags: CallFlags) => Promise<void>): Promise<void> {
  const timeoutMs = usage(() => duration(flags.timeout, "--timeout"));
  const { createGreeterClient } = await import("./grpc/client.ts");
  const client = createGreeterClient({ target: flags.target, timeoutMs });
  try {
    await ask(client, flags);
  } finally {
    client.close();
  }
}

/** Runs what reads a setting, so that a bad one counts as wrong usage. */
function usage<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}
