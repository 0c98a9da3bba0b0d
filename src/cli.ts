import { Command, CommanderError } from "commander";
import { readBuildInfo } from "./platform/build-info.ts";
import { readConfig, readSetting } from "./platform/config/config.ts";
import type { TlsFlags } from "./greeter/call.ts";
import { createGreeter } from "./greeter/greeter.ts";
import type { Greeter } from "./greeter/greeter.ts";
import { addOutput, addSetting, flagsOf } from "./platform/config/options.ts";
import type { OutputFlag } from "./platform/config/options.ts";
import { printGreeting, printVersion } from "./greeter/printer.ts";
import type { Output, OutputForm } from "./greeter/printer.ts";
import { settings } from "./platform/config/settings.ts";
import { asUsageError, usage, UsageError } from "./platform/config/usage.ts";
import { duration, target } from "./platform/config/parsers.ts";

/** What a command line has of its process. */
export interface Io {
  stdout: Output & { isTTY?: boolean };
  stderr: Output;
  env: NodeJS.ProcessEnv;
}

/**
 * Runs one command.
 * @param args the arguments after the program's name
 * @returns the exit code: 0 when it did what it should, 1 when it could not, 2 when the command line or a setting was wrong
 */
export async function run(args: string[], io: Io): Promise<number> {
  try {
    let exitCode = 0;
    await createProgram(io, (code) => (exitCode = code)).parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // commander has written its message already, and throws for --help too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = error instanceof Error ? error.message : String(error);
    io.stderr.write(`${args[0]}: ${message.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** The table of commands. What a command needs beyond its arguments is loaded when it runs. */
function createProgram(io: Io, exitWith: (code: number) => void): Command {
  const surroundings = { env: io.env, terminal: io.stdout.isTTY === true };
  const program = new Command("greeter")
    .description("One greeting over gRPC, HTTP and the command line")
    .helpCommand(false)
    .exitOverride()
    .showHelpAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) });

  const serveCommand = program
    .command("serve")
    .description("serve the greeting over HTTP and gRPC, until SIGINT or SIGTERM")
    .action(async (_: unknown, command: Command) => {
      const config = usage(() => readConfig(flagsOf(command), surroundings));
      const { serve } = await import("./serve.ts");
      exitWith(await serve(config, io.stdout).catch(asUsageError));
    });
  for (const setting of Object.values(settings)) addSetting(serveCommand, setting);

  const hello = program
    .command("hello")
    .description("greet somebody, without a server")
    .argument("[name]", "whom to greet")
    .action(async (name: string | undefined, flags: OutputFlag, command: Command) => {
      const greeting = usage(() => readSetting("greeting", flagsOf(command), surroundings));
      await printGreeting(localGreeter(greeting), name, flags.output, io.stdout);
    });
  addSetting(hello, settings.greeting);
  addOutput(hello);

  const call = program
    .command("call")
    .description("ask a Greeter server over gRPC")
    .option("--target <host:port>", "the server", "localhost:50051")
    .option("--timeout <duration>", "how long the answer may take", "5s")
    .option("--tls", "speak TLS")
    .option("--ca <file>", "with --tls: authorities in PEM to trust, instead of those that Node trusts")
    .option("--cert <file>", "with --tls: certificate in PEM to show, for servers that ask for one")
    .option("--key <file>", "with --tls: private key of --cert in PEM")
    .option("--server-name <name>", "with --tls: name that the server's certificate must have, if not the target's");
  addOutput(call);
  call
    .command("greet")
    .description("ask it for a greeting")
    .argument("[name]", "whom to greet")
    .action((name: string | undefined, _: unknown, command: Command) =>
      withServer(command, io, (greeter, form) => printGreeting(greeter, name, form, io.stdout)),
    );
  call
    .command("version")
    .description("ask it what it is running")
    .action((_: unknown, command: Command) =>
      withServer(command, io, (greeter, form) => printVersion(greeter, form, io.stdout)),
    );

  const check = program
    .command("check-health")
    .description("ask the service on this machine whether it serves: exit code 0 if so, otherwise 1")
    .option("--timeout <duration>", "how long the answer may take", "2s")
    .action(async ({ timeout }: { timeout: string }, command: Command) => {
      const admin = usage(() => readSetting("adminAddr", flagsOf(command), surroundings));
      const timeoutMs = usage(() => duration(timeout, "--timeout"));
      const { checkHealth } = await import("./platform/admin/check-health.ts");
      await checkHealth(admin, timeoutMs).catch(asUsageError);
      io.stdout.write("serving\n");
    });
  addSetting(check, settings.adminAddr);

  const version = program
    .command("version")
    .description("tell what is running here")
    .action(async (flags: OutputFlag) =>
      printVersion(localGreeter(settings.greeting.default), flags.output, io.stdout),
    );
  addOutput(version);

  return program;
}

interface CallFlags extends OutputFlag, TlsFlags {
  target: string;
  timeout: string;
}

function localGreeter(greeting: string): Greeter {
  return createGreeter({ greeting, buildInfo: readBuildInfo });
}

type Print = (greeter: Greeter, form: OutputForm) => Promise<void>;

async function withServer(command: Command, io: Io, print: Print): Promise<void> {
  const flags = command.optsWithGlobals<CallFlags>();
  const timeoutMs = usage(() => duration(flags.timeout, "--timeout"));
  const server = usage(() => target(flags.target, "--target"));
  const { connect } = await import("./greeter/call.ts");
  const { env, stderr } = io;
  const { greeter, close } = await connect({ ...flags, target: server, timeoutMs, env, stderr }).catch(asUsageError);
  try {
    await print(greeter, flags.output);
  } finally {
    await close();
  }
}
