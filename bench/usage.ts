import { parseArgs } from "node:util";

/**
 * Of a script that has no option but this: with `--help`, shows what it does and ends it.
 * @throws {TypeError} something else was given
 */
export function showUsage(text: string): void {
  const { values } = parseArgs({ options: { help: { type: "boolean" } } });
  if (!values.help) return;
  process.stdout.write(text);
  process.exit();
}
