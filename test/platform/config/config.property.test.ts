import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { readConfig } from "../../../src/platform/config/config.ts";
import type { Config, Flags } from "../../../src/platform/config/config.ts";
import { InvalidArgumentError } from "../../../src/greeter/greeter.ts";
import { settings } from "../../../src/platform/config/settings.ts";
import type { Setting } from "../../../src/platform/config/settings.ts";

/** Any code point, halves of surrogate pairs too; what fast-check calls "binary" takes a second to be made. */
const character = fc.oneof(fc.nat(0xff), fc.nat(0xffff), fc.nat(0x10ffff)).map((code) => String.fromCodePoint(code));

const table = Object.entries<Setting<unknown>>(settings);

/** Texts for some of the keys; most of them are right, or there would hardly ever be a configuration. */
function texts(key: (name: string, setting: Setting<unknown>) => string): fc.Arbitrary<Flags & NodeJS.ProcessEnv> {
  const entries = table.map(([name, setting]) => [
    key(name, setting),
    fc.oneof(
      { withCrossShrink: true },
      { arbitrary: fc.constant(undefined), weight: 120 },
      { arbitrary: fc.constant(setting.default), weight: 60 },
      { arbitrary: fc.string({ unit: character }), weight: 1 },
    ),
  ]);
  return fc.record(Object.fromEntries(entries) as Record<string, fc.Arbitrary<string>>);
}

const flags = texts((name) => name);
const env = fc
  .tuple(
    fc.dictionary(fc.string({ unit: character }), fc.string()),
    texts((_, { variable }) => variable),
  )
  .map(([others, ours]) => ({ ...others, ...ours }));

/** The name and the text of each setting, flags first, then variables, then defaults. */
function given(flags: Flags, env: NodeJS.ProcessEnv, terminal: boolean): [keyof Config, string, string][] {
  return table.map(([key, setting]) => {
    const name = key as keyof Config;
    if (flags[name] !== undefined) return [name, setting.flags.replace(/^-\w, | <.*/g, ""), flags[name]];
    const fallback = terminal ? (setting.terminalDefault ?? setting.default) : setting.default;
    return [name, setting.variable, env[setting.variable] ?? fallback];
  });
}

test("any flags and variables are a configuration, or an error that names the first one that is wrong", (t) => {
  const property = fc.property(flags, env, fc.boolean(), (flags, env, terminal) => {
    let config: Config | undefined;
    let error: unknown;
    try {
      config = readConfig(flags, { env, terminal });
    } catch (caught) {
      error = caught;
    }
    for (const [name, source, text] of given(flags, env, terminal)) {
      const parse = (): unknown => settings[name].parse(text, source);
      if (config) assert.deepEqual(config[name], parse());
      else {
        try {
          parse();
        } catch (expected) {
          assert.deepEqual(error, expected);
          return;
        }
      }
    }
    // Each is right by itself: then it is a certificate without its key, or the other way round.
    if (error !== undefined)
      assert.ok(error instanceof InvalidArgumentError && error.message.startsWith("Missing --tls-"));
    else assert.ok(Object.isFrozen(config));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});
