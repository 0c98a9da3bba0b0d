import type { Target } from "./targets.ts";
import type { Outcome } from "./outcome.ts";

const columns = ["answered", "rejected", "closed", "reset", "timed out"] as const;

/** Counts the outcomes of each kind of case. */
export interface Tally {
  add(kind: string, outcome: Outcome): void;
  count(): number;
  table(): string;
}

export function createTally(): Tally {
  const kinds = new Map<string, { outcomes: Record<string, number>; reasons: Record<string, number> }>();
  let count = 0;
  return {
    count: () => count,
    add: (kind, { how, reason }) => {
      count += 1;
      const { outcomes, reasons } = kinds.get(kind) ?? { outcomes: {}, reasons: {} };
      outcomes[how] = (outcomes[how] ?? 0) + 1;
      if (reason !== undefined) reasons[reason] = (reasons[reason] ?? 0) + 1;
      kinds.set(kind, { outcomes, reasons });
    },
    table: () => {
      const rows = [...kinds]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([kind, { outcomes, reasons }]) => {
          const cells = columns.map((column) => outcomes[column] ?? 0);
          return [kind, cells.reduce((sum, cell) => sum + cell, 0), ...cells, mostOften(reasons)];
        });
      return table([["kind", "cases", ...columns, "reasons of rejections"], ...rows]);
    },
  };
}

/** Returns a table of the well-behaved clients' responses. */
export function clientTable(targets: Target[]): string {
  const rows = targets.flatMap(({ service, client }) =>
    Object.entries(client.seen).map(([surface, { answers, slowest }]) => [
      service.name,
      surface,
      answers,
      Math.round(slowest),
    ]),
  );
  return table([["well-behaved client", "request", "correct responses", "slowest ms"], ...rows]);
}

/** Formats counts, the most frequent first. */
export function mostOften(counts: Record<string, number>): string {
  return Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, count]) => `${what} ×${count}`)
    .join(", ");
}

/** Formats rows, the first of them the header, in columns. Numbers are aligned to the right. */
export function table(rows: (string | number)[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows
    .map((row, index) =>
      row
        .map((cell, column) => {
          const isNumber = typeof rows[Math.max(index, 1)]?.[column] === "number";
          return isNumber ? String(cell).padStart(widths[column]!) : String(cell).padEnd(widths[column]!);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/**
 * Prints the progress: on a terminal by rewriting one line, otherwise a line every 5 s.
 * @param line returns the current progress
 * @returns function that stops it
 */
export function showProgress(line: () => string): () => void {
  const { stderr } = process;
  const show = (): void => void stderr.write(stderr.isTTY ? `\r\x1b[K${line()}` : `${line()}\n`);
  const timer = setInterval(show, stderr.isTTY ? 200 : 5000);
  return () => {
    clearInterval(timer);
    if (stderr.isTTY) stderr.write("\r\x1b[K");
  };
}
