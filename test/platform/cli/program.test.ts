import test from "ava";
import { runProgram } from "../../../src/platform/cli/program.ts";
import type { AddCommand } from "../../../src/platform/cli/program.ts";
import { UsageError } from "../../../src/platform/cli/usage.ts";
import { identity } from "../../../src/platform/identity.ts";
import { capture } from "../../command-line.ts";
import type { CommandEnd } from "../../command-line.ts";

/** Runs a program with the commands `fail`, and `items` with the subcommand `get`. */
function program(args: string[], error = new Error("Failed")): Promise<CommandEnd> {
  const fail: AddCommand = (command) => {
    command.command("fail").action(() => {
      throw error;
    });
  };
  const items: AddCommand = (command) => {
    command.command("items").command("get").argument("<id>").option("--all");
  };
  return capture((io) => runProgram("A program", [fail, items], args, io));
}

test("an error message is one line, although that of OpenSSL has a line break", async (t) => {
  const error = new Error("error:1C800064:Provider routines::bad decrypt\n");
  t.deepEqual(await program(["fail"], error), { code: 1, out: "", err: `fail: ${error.message}` });
  const usageError = new UsageError("Invalid value:\r\n  expected a number\n");
  const err = "fail: invalid value: expected a number\n";
  t.deepEqual(await program(["fail"], usageError), { code: 2, out: "", err });
});

const wrong = [
  { args: ["nope"], reason: "unknown command 'nope'", path: "", usage: "[options] [command]" },
  { args: ["fail", "--nope"], reason: "unknown option '--nope'", path: " fail", usage: "[options]" },
  { args: ["items", "get"], reason: "missing required argument 'id'", path: " items get", usage: "[options] <id>" },
];
for (const { args, reason, path, usage } of wrong) {
  test(`${args.join(" ")} prints the reason and a short usage on stderr, and exits with 2`, async (t) => {
    const command = `${identity.name}${path}`;
    const err = `error: ${reason}\nUsage: ${command} ${usage}\nRun "${command} --help" for its options\n`;
    t.deepEqual(await program(args), { code: 2, out: "", err });
  });
}

test("no command has a subcommand help", async (t) => {
  for (const args of [["--help"], ["items", "--help"]]) t.notRegex((await program(args)).out, /help \[command\]/);
});
