import test from "ava";
import { readConfig } from "../../../src/platform/config/config.ts";
import type { Flags } from "../../../src/platform/config/config.ts";
import { InvalidArgumentError } from "../../../src/greeter/greeter.ts";
import { settings } from "../../../src/platform/config/settings.ts";

const noTerminal = { env: {}, terminal: false };

test("has a default for every setting", (t) => {
  t.snapshot(readConfig({}, noTerminal));
});

test("has a shorter drain where somebody sits at a terminal, unless they want another", (t) => {
  t.is(readConfig({}, { env: {}, terminal: true }).drainDelay, 0);
  t.is(readConfig({ drainDelay: "2s" }, { env: {}, terminal: true }).drainDelay, 2000);
  t.is(readConfig({}, { env: { GREETER_DRAIN_DELAY: "3s" }, terminal: true }).drainDelay, 3000);
});

test("fits the drain into the 30 s that Kubernetes gives", (t) => {
  const { drainDelay, drainTimeout } = readConfig({}, noTerminal);
  t.true(drainDelay + drainTimeout < 30_000);
});

test("takes a variable over the default, and a flag over the variable", (t) => {
  const surroundings = {
    env: { GREETER_GREETING: "Hi", GREETER_ADDR: ":1", GREETER_REFLECTION: "false" },
    terminal: false,
  };
  t.like(readConfig({}, surroundings), { greeting: "Hi", addr: { host: "", port: 1 }, reflection: false });
  t.like(readConfig({ greeting: "Hey" }, surroundings), { greeting: "Hey", addr: { host: "", port: 1 } });
});

test("takes a flag without a value as true", (t) => {
  t.false(readConfig({}, noTerminal).reusePort);
  t.true(readConfig({ reusePort: "true" }, noTerminal).reusePort);
  t.true(readConfig({}, { env: { GREETER_REUSE_PORT: "true" }, terminal: false }).reusePort);
});

test("can't be changed once it is read", (t) => {
  t.true(Object.isFrozen(readConfig({}, noTerminal)));
});

test("names every variable after its flag", (t) => {
  for (const [name, { flags, variable }] of Object.entries(settings)) {
    const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    t.regex(flags, new RegExp(`--(no-)?${flag}( |$)`));
    t.is(variable, `GREETER_${flag.replaceAll("-", "_").toUpperCase()}`);
  }
});

const bad: { flags: Flags; env?: NodeJS.ProcessEnv; message: string }[] = [
  { flags: { greeting: "" }, message: 'Invalid --greeting "": expected 1 to 256 characters' },
  {
    flags: {},
    env: { GREETER_GREETING: "" },
    message: 'Invalid GREETER_GREETING "": expected 1 to 256 characters',
  },
  {
    flags: { addr: "8080" },
    message: 'Invalid --addr "8080": expected host:port, for example 0.0.0.0:8080, [::]:8080 or :8080',
  },
  {
    flags: {},
    env: { GREETER_GRPC_ADDR: "a:b" },
    message: 'Invalid GREETER_GRPC_ADDR "a:b": expected host:port, for example 0.0.0.0:8080, [::]:8080 or :8080',
  },
  {
    flags: { logLevel: "loud" },
    message: 'Invalid --log-level "loud": expected one of trace, debug, info, warn, error, fatal, silent',
  },
];
for (const { flags, env = {}, message } of bad) {
  test(`says: ${message}`, (t) => {
    t.throws(() => readConfig(flags, { env, terminal: false }), { instanceOf: InvalidArgumentError, message });
  });
}
