import type { Readable } from "node:stream";

/**
 * Passes on whole lines. Processes that write into one pipe themselves cut each other's lines in two as soon as whoever reads is slow.
 * @param output takes one or more lines at a time
 */
export function relayLines(source: Readable, output: { write(lines: string): unknown }): void {
  let begun = "";
  source.setEncoding("utf8");
  source.on("data", (chunk: string) => {
    const end = chunk.lastIndexOf("\n") + 1;
    if (end > 0) output.write(begun + chunk.slice(0, end));
    begun = (end > 0 ? "" : begun) + chunk.slice(end);
  });
  source.on("end", () => {
    if (begun !== "") output.write(`${begun}\n`);
  });
}
