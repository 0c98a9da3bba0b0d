import test from "ava";
import { duration, readConfig, settings } from "../src/config.ts";
import type { Flags } from "../src/config.ts";
import { InvalidArgumentError } from "../src/greeter.ts";

test("has a default for every setting", (t) => {
  t.deepEqual(readConfig({}, {}), {
    greeting: "Hello",
    addr: { host: "0.0.0.0", port: 8080 },
    grpcAddr: { host: "0.0.0.0", port: 50_051 },
    logLevel: "info",
  });
});

test("takes a variable over the default, and a flag over the variable", (t) => {
  const environment = { GREETER_GREETING: "Hi", GREETER_ADDR: ":1" };
  t.like(readConfig({}, environment), { greeting: "Hi", addr: { host: "", port: 1 } });
  t.like(readConfig({ greeting: "Hey" }, environment), { greeting: "Hey", addr: { host: "", port: 1 } });
});

test("can't be changed once it is read", (t) => {
  t.true(Object.isFrozen(readConfig({}, {})));
});

test("names every variable after its flag", (t) => {
  for (const [name, { flags, variable }] of Object.entries(settings)) {
    const flag = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    t.true(flags.includes(`--${flag} `), flags);
    t.is(variable, `GREETER_${flag.replaceAll("-", "_").toUpperCase()}`);
  }
});

const bad: { flags: Flags; environment?: NodeJS.ProcessEnv; message: string }[] = [
  { flags: { greeting: "" }, message: 'Invalid --greeting "": expected 1 to 256 characters' },
  {
    flags: {},
    environment: { GREETER_GREETING: "" },
    message: 'Invalid GREETER_GREETING "": expected 1 to 256 characters',
  },
  {
    flags: { addr: "8080" },
    message: 'Invalid --addr "8080": expected host:port, for example 0.0.0.0:8080, [::]:8080 or :8080',
  },
  {
    flags: {},
    environment: { GREETER_GRPC_ADDR: "a:b" },
    message: 'Invalid GREETER_GRPC_ADDR "a:b": expected host:port, for example 0.0.0.0:8080, [::]:8080 or :8080',
  },
  {
    flags: { logLevel: "loud" },
    message: 'Invalid --log-level "loud": expected one of trace, debug, info, warn, error, fatal, silent',
  },
];
for (const { flags, environment = {}, message } of bad) {
  test(`says: ${message}`, (t) => {
    t.throws(() => readConfig(flags, environment), { instanceOf: InvalidArgumentError, message });
  });
}

test("reads durations as milliseconds", (t) => {
  t.is(duration("250ms", "--x"), 250);
  t.is(duration("5s", "--x"), 5000);
  t.is(duration("2m", "--x"), 120_000);
  t.is(duration("0s", "--x"), 0);
});

for (const text of ["", "5", "-5s", "1.5s", "5 s", "5h", "99999999999s", "s"]) {
  test(`does not read "${text}" as a duration`, (t) => {
    t.throws(() => duration(text, "--x"), {
      message: `Invalid --x "${text}": expected a duration up to 24 days, for example 250ms, 5s or 2m`,
    });
  });
}
