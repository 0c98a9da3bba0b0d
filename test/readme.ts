import { readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");
export const readme = readFileSync(join(root, "README.md"), "utf8");

/** The README's code blocks of one language. */
export function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm"))].map((match) => match[1]!);
}

/** Each `$ command` of the README that calls a service with some program, and the lines that it prints. */
export function examples(program: string): { command: string; printed: string }[] {
  return blocks("console")
    .flatMap((block) => block.split(/^\$ /m).slice(1))
    .filter((example) => example.startsWith(`${program} `))
    .map((example) => {
      const [command = "", ...printed] = example.split("\n");
      return { command, printed: printed.join("\n").trimEnd() };
    });
}
