import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { readConfig } from "../../../src/platform/config/config.ts";
import type { Flags } from "../../../src/platform/config/config.ts";
import type { Setting } from "../../../src/platform/config/setting.ts";
import { platformSettings } from "../../../src/platform/config/settings.ts";
import { character } from "../../arbitraries.ts";

const table = Object.entries<Setting<unknown>>(platformSettings);

/** Texts for some of the keys. Most texts are valid, because otherwise almost no configuration would be. */
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

interface Given {
  name: string;
  setting: Setting<unknown>;
  /** Flag or variable. */
  source: string;
  text: string;
}

/** Returns the text of each setting and its source: a flag, or else a variable, or else the default. */
function given(flags: Flags, env: NodeJS.ProcessEnv, terminal: boolean): Given[] {
  return table.map(([name, setting]) => {
    const { variable, terminalDefault } = setting;
    const flag = flags[name];
    if (flag !== undefined) return { name, setting, source: setting.flags.replace(/^-\w, | <.*/g, ""), text: flag };
    const fallback = terminal ? (terminalDefault ?? setting.default) : setting.default;
    return { name, setting, source: variable, text: env[variable] ?? fallback };
  });
}

test("any flags and variables are a configuration, or an error that names the first invalid one", (t) => {
  const property = fc.property(flags, env, fc.boolean(), (flags, env, terminal) => {
    let config: Readonly<Record<string, unknown>> | undefined;
    let error: unknown;
    try {
      config = readConfig(platformSettings, flags, { env, terminal });
    } catch (caught) {
      error = caught;
    }
    for (const { name, setting, source, text } of given(flags, env, terminal)) {
      const parse = (): unknown => setting.parse(text, source);
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
    assert.equal(error, undefined);
    assert.ok(Object.isFrozen(config));
  });
  t.notThrows(() => fc.assert(property, { numRuns: 200 }));
});
