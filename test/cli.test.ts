import test from "ava";
import { run } from "../src/cli.ts";
import { greeterSettings } from "../src/greeter/settings.ts";
import { formatBuildInfo, readBuildInfo } from "../src/platform/build-info.ts";
import { readConfig } from "../src/platform/config/config.ts";
import { capture } from "./command-line.ts";
import type { CommandEnd } from "./command-line.ts";
import { hostileNames } from "./hostile-names.ts";

/** Runs a command line in this process. */
function greeter(args: string[], env?: NodeJS.ProcessEnv): Promise<CommandEnd> {
  return capture((io) => run(args, io), env);
}

const greetings = [
  { args: ["hello"], out: "Hello, Linky 🐙!\n" },
  { args: ["hello", "Bob"], out: "Hello, Bob!\n" },
  { args: ["hello", "-g", "Hi", "Bob"], out: "Hi, Bob!\n" },
  { args: ["hello", "-g", "Hi"], out: "Hi, Linky 🐙!\n" },
  { args: ["hello", "--greeting=Hi", "Bob"], out: "Hi, Bob!\n" },
  { args: ["hello", "--", "-g"], out: "Hello, -g!\n" },
  { args: ["hello", "Bob", "--output", "json"], out: '{"message":"Hello, Bob!"}\n' },
  { args: ["hello", "Bob"], env: { GREETER_GREETING: "Hey" }, out: "Hey, Bob!\n" },
  { args: ["hello", "-g", "Hi", "Bob"], env: { GREETER_GREETING: "Hey" }, out: "Hi, Bob!\n" },
];
for (const { args, env, out } of greetings) {
  test(`${env ? "with a variable, " : ""}greeter ${args.join(" ")} prints ${out.trim()}`, async (t) => {
    t.deepEqual(await greeter(args, env), { code: 0, out, err: "" });
  });
}

test("the greeting is Hello by default", (t) => {
  t.deepEqual(readConfig(greeterSettings, {}, { env: {}, terminal: false }), { greeting: "Hello" });
});

test("hello '' names the rule in one line, and exits with 1", async (t) => {
  t.deepEqual(await greeter(["hello", ""]), {
    code: 1,
    out: "",
    err: 'hello: invalid name "": expected 1 to 256 characters\n',
  });
});

for (const { title, name, valid } of hostileNames) {
  test(`hello ${valid ? "greets" : "rejects"} a name with ${title}`, async (t) => {
    const { code, out, err } = await greeter(["hello", "--", name]);
    if (valid) t.deepEqual({ code, out }, { code: 0, out: `Hello, ${name}!\n` });
    else {
      t.is(code, 1);
      t.is(out, "");
      t.regex(err, /^hello: invalid name ".*"…?: expected .*\n$/);
    }
  });
}

for (const name of ["a\uD800", "\uDC00"]) {
  test(`hello rejects a name with an unpaired surrogate (${JSON.stringify(name)})`, async (t) => {
    const { code, err } = await greeter(["hello", name]);
    t.is(code, 1);
    t.regex(err, /^hello: invalid name ".*": expected well-formed Unicode, got an unpaired surrogate\n$/);
  });
}

const usageErrors = [
  { args: [], reason: /^Usage: greeter/ },
  { args: ["nope"], reason: /^error: unknown command 'nope'/ },
  { args: ["hello", "a", "b"], reason: /^error: too many arguments for 'hello'/ },
  { args: ["hello", "--nope"], reason: /^error: unknown option '--nope'/ },
  { args: ["hello", "-g"], reason: /^error: option '-g, --greeting <text>' argument missing/ },
  { args: ["serve", "--nope"], reason: /^error: unknown option '--nope'/ },
  { args: ["serve", "--addr"], reason: /^error: option '--addr <host:port>' argument missing/ },
  { args: ["serve", "extra"], reason: /^error: too many arguments for 'serve'/ },
  { args: ["call"], reason: /^Usage: greeter call/ },
  { args: ["call", "greet", "a", "b"], reason: /^error: too many arguments for 'greet'/ },
  { args: ["version", "extra"], reason: /^error: too many arguments for 'version'/ },
];
for (const { args, reason } of usageErrors) {
  test(`greeter ${args.join(" ")} prints the reason and the usage on stderr, and exits with 2`, async (t) => {
    const { code, out, err } = await greeter(args);
    t.is(code, 2);
    t.is(out, "");
    t.regex(err, reason);
    t.regex(err, /Usage: greeter/);
  });
}

const invalidSettings = [
  { args: ["serve", "--addr", "nowhere"], err: /^serve: invalid --addr "nowhere": expected host:port/ },
  {
    args: ["serve"],
    env: { GREETER_GRPC_ADDR: "x" },
    err: /^serve: invalid GREETER_GRPC_ADDR "x": expected host:port/,
  },
  { args: ["serve", "-g", "\n"], err: /^serve: invalid --greeting "\\n": expected no control character, got U\+000A/ },
  { args: ["hello", "-g", ""], err: /^hello: invalid --greeting "": expected 1 to 256 characters/ },
  { args: ["hello", "--output", "xml"], err: /^hello: invalid --output "xml": expected one of text, json/ },
  { args: ["call", "greet", "--target", "localhost"], err: /^call: invalid --target "localhost": expected host:port/ },
  { args: ["call", "greet", "--target", ""], err: /^call: invalid --target "": expected host:port/ },
  { args: ["call", "version", "--target", "a:99999"], err: /^call: invalid --target "a:99999": expected host:port/ },
  {
    args: ["call", "version", "--target", "http://a:1"],
    err: /^call: invalid --target "http:\/\/a:1": expected host:port/,
  },
  { args: ["call", "greet", "--timeout", "soon"], err: /^call: invalid --timeout "soon": expected a duration/ },
];
for (const { args, env, err } of invalidSettings) {
  test(`an invalid setting ends greeter ${JSON.stringify(args)}${env ? " with a variable" : ""} with one line and exit code 2`, async (t) => {
    const result = await greeter(args, env);
    t.is(result.code, 2);
    t.regex(result.err, err);
    t.is(result.err.split("\n").length, 2);
  });
}

const commands = ["", "serve", "hello", "call", "call greet", "call version", "check-health", "version"];
for (const args of commands.map((command) => command.split(" ").filter(Boolean))) {
  test(`greeter ${[...args, "--help"].join(" ")} prints the help`, async (t) => {
    const { code, out, err } = await greeter([...args, "--help"]);
    t.is(code, 0);
    t.is(err, "");
    t.snapshot(out);
  });
}

test("version prints the build information as text and as JSON", async (t) => {
  const buildInfo = await readBuildInfo();
  t.deepEqual(await greeter(["version"]), { code: 0, out: formatBuildInfo(buildInfo), err: "" });
  const { out } = await greeter(["version", "--output", "json"]);
  t.like(JSON.parse(out), { runtime: buildInfo.runtime, dependencies: buildInfo.dependencies });
});
