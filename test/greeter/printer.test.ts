import test from "ava";
import type { Greeter } from "../../src/greeter/greeter.ts";
import { printGreeting, printVersion } from "../../src/greeter/printer.ts";
import { buildInfo } from "../sample-build-info.ts";

/** What is printed of a server that means harm. */
async function printed(print: typeof printGreeting, form: "text" | "json"): Promise<string> {
  const hostile: Greeter = {
    greet: async () => "Hello\u001b]0;owned\u0007\nforged",
    version: async () => ({ ...buildInfo, runtime: "node\nbuild\tvcs.modified=false\u001b[2J" }),
  };
  let text = "";
  await print(hostile, undefined, form, { write: (written) => (text += written) });
  return text;
}

test("a server far away can't forge a line, nor speak to the terminal", async (t) => {
  t.is(await printed(printGreeting, "text"), "Hello\uFFFD]0;owned\uFFFD\uFFFDforged\n");
  const version = await printed((greeter, _, ...rest) => printVersion(greeter, ...rest), "text");
  t.is(version.split("\n")[0], "runtime\tnode\uFFFDbuild\uFFFDvcs.modified=false\uFFFD[2J");
});

test("as JSON it is what it is", async (t) => {
  t.is(await printed(printGreeting, "json"), '{"message":"Hello\\u001b]0;owned\\u0007\\nforged"}\n');
});
