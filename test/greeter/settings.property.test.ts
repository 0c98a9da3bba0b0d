import test from "ava";
import { greeterSettings } from "../../src/greeter/settings.ts";
import { assertParsesAnyText } from "../platform/config/any-text.ts";

for (const setting of Object.values(greeterSettings)) {
  test(`${setting.variable} parses any text to a value or to an error of one line`, (t) => {
    t.notThrows(() => assertParsesAnyText(setting));
  });
}
