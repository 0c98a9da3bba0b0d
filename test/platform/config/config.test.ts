import test from "ava";
import { readConfig } from "../../../src/platform/config/config.ts";
import type { Environment, Flags } from "../../../src/platform/config/config.ts";
import { platformSettings } from "../../../src/platform/config/settings.ts";
import type { PlatformConfig } from "../../../src/platform/config/settings.ts";
import { identity } from "../../../src/platform/identity.ts";

/** Reads the platform's settings. */
function read(flags: Flags, { env = {}, terminal = false }: Partial<Environment> = {}): PlatformConfig {
  return readConfig(platformSettings, flags, { env, terminal });
}

/** Returns the name of a variable. */
const variable = (name: string): string => identity.variablePrefix + name;

test("every setting has a default", (t) => {
  t.snapshot(read({}));
});

test("on a terminal the drain delay is 0 by default", (t) => {
  t.is(read({}, { terminal: true }).drainDelay, 0);
  t.is(read({ drainDelay: "2s" }, { terminal: true }).drainDelay, 2000);
  t.is(read({}, { env: { [variable("DRAIN_DELAY")]: "3s" }, terminal: true }).drainDelay, 3000);
});

test("the drain fits into the 30 s of Kubernetes' terminationGracePeriodSeconds", (t) => {
  const { drainDelay, drainTimeout } = read({});
  t.true(drainDelay + drainTimeout < 30_000);
});

test("a variable wins over the default, and a flag over the variable", (t) => {
  const env = { [variable("LOG_LEVEL")]: "warn", [variable("ADDR")]: ":1", [variable("REFLECTION")]: "false" };
  t.like(read({}, { env }), { logLevel: "warn", addr: { host: "", port: 1 }, reflection: false });
  t.like(read({ logLevel: "error" }, { env }), { logLevel: "error", addr: { host: "", port: 1 } });
});

test("a configuration is immutable", (t) => {
  t.true(Object.isFrozen(read({})));
});

test("every variable is named after its flag", (t) => {
  for (const [name, setting] of Object.entries(platformSettings)) {
    const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    t.regex(setting.flags, new RegExp(`--(no-)?${flag}( |$)`));
    t.is(setting.variable, variable(flag.replaceAll("-", "_").toUpperCase()));
  }
});

const invalid: { flags: Flags; env?: NodeJS.ProcessEnv; message: string }[] = [
  {
    flags: { addr: "8080" },
    message: 'Invalid --addr "8080": expected host:port, for example 0.0.0.0:8080, [::]:8080 or :8080',
  },
  {
    flags: {},
    env: { [variable("GRPC_ADDR")]: "a:b" },
    message: `Invalid ${variable("GRPC_ADDR")} "a:b": expected host:port, for example 0.0.0.0:8080, [::]:8080 or :8080`,
  },
  {
    flags: { logLevel: "loud" },
    message: 'Invalid --log-level "loud": expected one of trace, debug, info, warn, error, fatal, silent',
  },
  {
    flags: {},
    env: { [variable("ADDR")]: "" },
    message: `Invalid ${variable("ADDR")} "": expected host:port, for example 0.0.0.0:8080, [::]:8080 or :8080`,
  },
];
for (const { flags, env = {}, message } of invalid) {
  test(`an invalid setting throws: ${message}`, (t) => {
    t.throws(() => read(flags, { env }), { name: "ServiceError", code: "INVALID_ARGUMENT", message });
  });
}
