import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { readConfig } from "../src/platform/config/config.ts";
import { duration } from "../src/platform/config/parsers.ts";
import { greeter } from "./command-line.ts";
import { root } from "./readme.ts";

const unit = readFileSync(join(root, "deploy/systemd/greeter@.service"), "utf8");

/** Every value of a directive. */
function directive(name: string): string[] {
  return [...unit.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, value]) => value!);
}

test("the systemd unit waits longer for the exit than the drain takes", (t) => {
  const { drainDelay, drainTimeout } = readConfig({}, { env: {}, terminal: false });
  t.true(duration(directive("TimeoutStopSec")[0]!, "TimeoutStopSec") > drainDelay + drainTimeout);
});

test("the systemd unit gives each instance its own admin port", (t) => {
  const variables = directive("Environment").map((value) => value.replace("%i", "2").split("="));
  const env = Object.fromEntries(variables) as NodeJS.ProcessEnv;
  t.deepEqual(readConfig({}, { env, terminal: false }).adminAddr, { host: "127.0.0.1", port: 9092 });
});

test("the systemd unit starts serve with flags that exist", async (t) => {
  const [, command = "", flags = ""] = /greeter\.cjs (\w+) (.*)$/.exec(directive("ExecStart")[0]!) ?? [];
  t.is(command, "serve");
  const { out } = await greeter(["serve", "--help"]);
  for (const flag of flags.split(" ")) t.true(out.includes(` ${flag} `), flag);
});
