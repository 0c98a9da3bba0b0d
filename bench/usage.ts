import { parseArgs } from "node:util";

/**
 * Handles `--help` of a script without other options: prints the text and ends the process.
 * @throws {TypeError} another option was given
 */
export function showUsage(text: string): void {
  const { values } = parseArgs({ options: { help: { type: "boolean" } } });
  if (!values.help) return;
  process.stdout.write(text);
  process.exit();
}
