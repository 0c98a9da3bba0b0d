import type { Measured } from "./measure.ts";
import { median } from "./statistics.ts";

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** Draws a bar chart of the CPU time of a greeting, with its ratio to Greeter's, as SVG for light and dark pages. */
export function chart(measured: Measured[]): string {
  const parts: string[] = [];
  let y = 8;
  for (const protocol of ["http", "grpc"] as const) {
    const scenario = protocol === "http" ? "a name, as text" : "Greet";
    const bars = measured
      .filter((one) => one.protocol === protocol && one.scenario === scenario)
      .map(({ subject, cpu }) => ({ subject, cost: median(cpu) }))
      .toSorted((a, b) => a.cost - b.cost);
    if (bars.length === 0) continue;
    const own = bars.find(({ subject }) => subject === "Greeter")?.cost;
    const most = bars.at(-1)!.cost;
    parts.push(
      `<text class="title" x="8" y="${(y += 22)}">${protocol === "http" ? "HTTP" : "gRPC"}: CPU µs per greeting</text>`,
    );
    y += 10;
    for (const { subject, cost } of bars) {
      const width = Math.max(1, (cost / most) * 460);
      const ratio = own === undefined ? "" : `, ${(cost / own).toFixed(2)} × Greeter`;
      parts.push(
        `<text x="140" y="${y + 16}" text-anchor="end">${escape(subject)}</text>`,
        `<rect class="${subject === "Greeter" ? "own" : "peer"}" x="150" y="${y}" width="${width.toFixed(1)}" height="22" rx="3"/>`,
        `<text x="${(158 + width).toFixed(1)}" y="${y + 16}">${cost.toFixed(1)}${ratio}</text>`,
      );
      y += 28;
    }
    y += 10;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="${y}" viewBox="0 0 800 ${y}" role="img" aria-label="CPU time of a greeting">
<style>
text { font: 14px system-ui, sans-serif; fill: #1f2328; } .title { font-weight: 600; }
.own { fill: #6f4fe0; } .peer { fill: #9a9ab0; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .own { fill: #a48cff; } .peer { fill: #6b7080; } }
</style>
${parts.join("\n")}
</svg>
`;
}
