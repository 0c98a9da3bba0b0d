import { formatBuildInfo } from "../platform/build-info.ts";
import { printable } from "./greeter.ts";
import type { Greeter } from "./greeter.ts";

/** How a command writes what it has to say: for people, or as protobuf JSON for scripts. */
export type OutputForm = "text" | "json";

/** Where a command writes. */
export interface Output {
  write(text: string): unknown;
}

/** Prints the greeting of any Greeter, here or far away. */
export async function printGreeting(
  greeter: Greeter,
  name: string | undefined,
  form: OutputForm,
  output: Output,
): Promise<void> {
  const message = await greeter.greet(name);
  // Loaded when it is needed: it brings protobuf, which a text does without.
  output.write(`${form === "json" ? (await import("./json.ts")).greetingJson(message) : printable(message)}\n`);
}

/** Prints what any Greeter is running. */
export async function printVersion(greeter: Greeter, form: OutputForm, output: Output): Promise<void> {
  const buildInfo = await greeter.version();
  if (form === "json") output.write(`${(await import("./json.ts")).buildInfoJson(buildInfo)}\n`);
  else output.write(formatBuildInfo(buildInfo));
}
