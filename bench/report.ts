import type { Measured } from "./measure.ts";
import type { Starts } from "./starts.ts";
import { median, quantile } from "./statistics.ts";

/** Ratio of Greeter's CPU time to a peer's. */
export interface Ratio {
  protocol: string;
  subject: string;
  baseline: string;
  median: number;
  quartiles: [number, number];
}

/** Computes Greeter's ratios to its peers by round, so that changes of the machine's speed cancel out. */
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

/** Formats the results as text. */
export function report(
  measured: Measured[],
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
  lines.push("(goal for Greeter's memory over gRPC: < 128 MB)");
  lines.push("", "Start until the first greeting: ms lowest, ms median, ratio to node -e 0");
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
