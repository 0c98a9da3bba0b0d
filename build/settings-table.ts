// `npm run generate:docs`: writes the table of settings into docs/settings.md. A test fails if the table is stale.
import { readFileSync, writeFileSync } from "node:fs";
import { settings } from "../src/cli.ts";

const file = new URL("../docs/settings.md", import.meta.url);

/** Replaces the table between the two comments of the page. */
export function withSettingsTable(page: string): string {
  return page.replace(/(?<=<!-- settings -->)[^]*(?=<!-- \/settings -->)/, () => `\n\n${settingsTable()}\n`);
}

/** Returns a Markdown table of the settings, aligned as oxfmt does. */
function settingsTable(): string {
  const rows = Object.values(settings).map(({ flags, variable, description, ...setting }) => [
    flags
      .replace(/ <.*>/, "")
      .split(", ")
      .map((flag) => `\`${flag}\``)
      .join(", "),
    `\`${variable}\``,
    setting.default === "" ? "none" : `\`${setting.default}\``,
    description,
  ]);
  const head = ["flag", "variable", "default", "meaning"];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const rule = widths.map((width) => "-".repeat(width));
  return [head, rule, ...rows]
    .map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |\n`)
    .join("");
}

if (import.meta.main) writeFileSync(file, withSettingsTable(readFileSync(file, "utf8")));
