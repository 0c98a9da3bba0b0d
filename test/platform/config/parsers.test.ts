import test from "ava";
import { boolean, duration, networks } from "../../../src/platform/config/parsers.ts";

test("durations are parsed to milliseconds", (t) => {
  t.is(duration("250ms", "--x"), 250);
  t.is(duration("5s", "--x"), 5000);
  t.is(duration("2m", "--x"), 120_000);
  t.is(duration("1h", "--x"), 3_600_000);
  t.is(duration("0s", "--x"), 0);
});

for (const text of ["", "5", "-5s", "1.5s", "5 s", "5d", "99999999999s", "s"]) {
  test(`"${text}" is no duration`, (t) => {
    t.throws(() => duration(text, "--x"), {
      message: `Invalid --x "${text}": expected a duration up to 24 days, for example 250ms, 5s, 2m or 1h`,
    });
  });
}

for (const text of ["10.0.0.0/33", "fd00::/129", "10.0.0", "proxy", "10.0.0.0/8;fd00::/8", "10.0.0.1,", "/8", "true"]) {
  test(`"${text}" is no list of networks`, (t) => {
    t.throws(() => networks(text, "--x"), {
      message: `Invalid --x "${text}": expected addresses or networks separated by commas, for example 10.0.0.0/8,fd00::/8`,
    });
  });
}

test("a switch is exactly true or false", (t) => {
  t.true(boolean("true", "--x"));
  t.false(boolean("false", "--x"));
  t.throws(() => boolean("yes", "--x"), { message: 'Invalid --x "yes": expected one of true, false' });
});
