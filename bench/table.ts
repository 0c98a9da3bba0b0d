// Prints the table of bench/README.md from a stored result: node bench/table.ts bench/results/<date>-<commit>.json
import { readFileSync } from "node:fs";
import type { Ratio } from "./report.ts";
import type { Starts } from "./starts.ts";
import { median, quantile } from "./statistics.ts";

/** The fields of a result that the table needs. */
export interface Result {
  settings: { rounds: number };
  ratios: Ratio[];
  starts: Starts[];
}

interface Goal {
  sign: "≤" | "<";
  limit: number;
}

/** Goals for the ratio of Greeter to a peer. */
const goals: Record<string, Goal> = {
  "http node:http": { sign: "≤", limit: 1.15 },
  "http fastify": { sign: "<", limit: 1 },
  "http express": { sign: "<", limit: 1 },
  "grpc grpc-js": { sign: "≤", limit: 0.9 },
  "grpc connect-node": { sign: "≤", limit: 0.2 },
  start: { sign: "≤", limit: 2 },
};

/** Formats the ratios and goals as a Markdown table, in oxfmt's format. */
export function table({ settings, ratios, starts }: Result): string {
  const rows = [
    ["CPU of a greeting, relative to", `median of ${settings.rounds} rounds`, "quartiles", "goal"],
    ...ratios.map(({ protocol, baseline, median, quartiles }) =>
      row(`${protocol === "http" ? "HTTP" : "gRPC"}: ${baseline}`, median, quartiles, `${protocol} ${baseline}`),
    ),
    ...starts
      .filter(({ subject }) => subject === "Greeter")
      .map(({ protocol, starts }) => {
        const times = starts.map(({ start, node }) => start / node);
        const what = `start-up time (${starts.length} starts), ${protocol === "http" ? "HTTP" : "gRPC"}: \`node -e 0\``;
        return row(what, median(times), [quantile(times, 0.25), quantile(times, 0.75)], "start");
      }),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const lines = rows.map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`);
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return `${[lines[0], rule, ...lines.slice(1)].join("\n")}\n`;
}

function row(what: string, median: number, quartiles: [number, number], goal: string): string[] {
  return [what, median.toFixed(2), quartiles.map((at) => at.toFixed(2)).join(" to "), describe(goals[goal], median)];
}

function describe(goal: Goal | undefined, value: number): string {
  if (goal === undefined) return "";
  const { sign, limit } = goal;
  const met = sign === "<" ? value < limit : value <= limit;
  return `${sign} ${limit}${met ? ": met" : ""}`;
}

if (import.meta.main) {
  const [file] = process.argv.slice(2);
  if (file === undefined) throw new Error("Expected the JSON file of a result: node bench/table.ts <file>");
  process.stdout.write(table(JSON.parse(readFileSync(file, "utf8")) as Result));
}
