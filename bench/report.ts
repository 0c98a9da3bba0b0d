import type { Measured } from "./measure.ts";
import type { Starts } from "./starts.ts";
import { median, quantile } from "./statistics.ts";

export interface Ratio {
  protocol: string;
  subject: string;
  baseline: string;
  median: number;
  quartiles: [number, number];
}

const goals: Record<string, string> = {
  "http node:http": "goal ≤ 1.15",
  "http fastify": "goal < 1",
  "http express": "goal < 1",
  "grpc grpc-js": "goal ≤ 0.9",
  "grpc connect-node": "goal ≤ 0.2",
};

/** What Greeter spends for what its peers spend: by round, so that the machine's drift cancels out. */
export function ratiosOf(measured: Measured[]): Ratio[] {
  return (["http", "grpc"] as const).flatMap((protocol) => {
    const [own, ...others] = measured.filter((one) => one.protocol === protocol);
    if (own?.subject !== "Greeter") return [];
    const peers = others.filter(({ subject }) => subject !== "Greeter");
    return peers.map(({ subject: baseline, cpu }) => {
      const ratios = own.cpu.map((cost, round) => cost / cpu[round]!);
      const quartiles: [number, number] = [quantile(ratios, 0.25), quantile(ratios, 0.75)];
      return { protocol, subject: own.subject, baseline, median: median(ratios), quartiles };
    });
  });
}

/** The results as tables of text. */
export function report(
  measured: Measured[],
  ratios: Ratio[],
  starts: Starts[],
  sizes: Record<string, { bytes: number; gzip: number }>,
): string {
  const row = (cells: (string | number)[]): string =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(32) : String(cell).padStart(10))).join(" ");
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const lines = [
    row(["", "req/s", "µs lowest", "µs median", "p50@50%", "p99@50%", "p50@80%", "p99@80%", "MB load", "MB after"]),
  ];
  for (const { subject, scenario, cpu, throughput, latency, memory } of measured) {
    const times = latency.flatMap(({ p50, p99 }) => [p50, p99].map((time) => `${time} µs`));
    const costs = [Math.min(...cpu), median(cpu)].map((cost) => cost.toFixed(1));
    const cells = [median(throughput).toFixed(0), ...costs, ...times, mb(memory.load), mb(memory.after)];
    lines.push(row([`${subject}: ${scenario}`, ...cells]));
  }
  lines.push(
    "",
    "Greeter's CPU time for a greeting, against (median, quartiles of the rounds; memory's goal: < 128 MB over gRPC)",
  );
  for (const { protocol, baseline, median, quartiles } of ratios) {
    const goal = goals[`${protocol} ${baseline}`] ?? "";
    lines.push(
      row([`${protocol} ${baseline}`, median.toFixed(2), quartiles.map((at) => at.toFixed(2)).join("–"), goal]),
    );
  }
  lines.push("", "Start to the first greeting: ms lowest, ms median, ratio to node -e 0 (goal for Greeter ≤ 2)");
  for (const { subject, protocol, starts: all } of starts) {
    const own = all.map(({ start }) => start);
    const ratio = median(all.map(({ start, node }) => start / node)).toFixed(2);
    lines.push(row([`${subject}, ${protocol}`, Math.min(...own).toFixed(0), median(own).toFixed(0), ratio]));
  }
  lines.push("", "Sizes: kB, kB gzipped");
  for (const [file, { bytes, gzip }] of Object.entries(sizes)) {
    lines.push(row([file, (bytes / 1000).toFixed(0), (gzip / 1000).toFixed(0)]));
  }
  return `${lines.join("\n")}\n`;
}
