import type { Attacked } from "./arena.ts";
import type { Outcome } from "./outcome.ts";

const columns = ["answered", "refused", "closed", "reset", "timed out"] as const;

/** How many cases of each kind had which outcome. */
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
      return table([["what is wrong", "cases", ...columns, "with what it was refused"], ...rows]);
    },
  };
}

/** The well-behaved clients' view. */
export function clientTable(attacked: Attacked[]): string {
  const rows = attacked.flatMap(({ service, client }) =>
    Object.entries(client.seen).map(([surface, { answers, slowest }]) => [
      service.name,
      surface,
      answers,
      Math.round(slowest),
    ]),
  );
  return table([["well-behaved client", "asked", "right answers", "slowest ms"], ...rows]);
}

/** What was counted, the most frequent first. */
export function mostOften(counts: Record<string, number>): string {
  return Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, count]) => `${what} ×${count}`)
    .join(", ");
}

/** Rows under a head, in columns; numbers to the right. */
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
 * Tells how it goes: on a terminal in one line that is written anew, otherwise in a line now and then.
 * @param line tells how it goes now
 * @returns what ends it
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
