// Throughput of two processes that share the ports (--reuse-port) on both cores, against one process.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { findTools } from "./load.ts";
import { saturate } from "./pressure.ts";
import { freePorts, run } from "./running.ts";
import type { Ports, Running } from "./running.ts";
import { untilDisconnected } from "./settle.ts";
import { median, quantile } from "./statistics.ts";
import { greeter, scenarios } from "./subjects.ts";
import type { Scenario } from "./subjects.ts";

const help = `Usage: npm run bench:reuse-port -- [options]

Compares one process on core 0, with the load on core 1, with two processes that share the ports on both cores, with the load on
both cores. The variants are under load in turn. Prints a Markdown table.

Options:
  --quick    two short rounds, to see that it works
  --help     show this
`;

const BOTH_CORES = "0,1";

/** Processes on one port, and the cores of their load. */
interface Variant {
  processes: Running[];
  ports: Ports;
  loadCores: string;
}

/** A round of one variant. */
interface Round {
  requestsPerSecond: number;
  requestsPerCpuSecond: number;
  /** CPU time of the least busy process, as a share of that of the busiest. */
  balance: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { quick: { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help) return void process.stdout.write(help);
  const { rounds, seconds } = values.quick ? { rounds: 2, seconds: 0.5 } : { rounds: 10, seconds: 2 };
  if (availableParallelism() < 2) throw new Error("Expected two cores");
  findTools("wrk", "h2load", "taskset");
  if (!existsSync(join(import.meta.dirname, "../dist/greeter.cjs"))) throw new Error("Nothing built: npm run build");

  const variants: Variant[] = [];
  try {
    variants.push(await startOne(), await startTwo());
    const lines = [];
    for (const protocol of ["http", "grpc"] as const) {
      const scenario = scenarios.find((candidate) => candidate.protocol === protocol)!;
      const measured: [Round[], Round[]] = [[], []];
      for (let round = 0; round <= rounds; round++) {
        progress(round === 0 ? `${protocol}: warm-up` : `${protocol}: round ${round} of ${rounds}`);
        // Alternates the order, so that the drift of the machine's speed affects both alike.
        for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
          const result = await measure(variants[index]!, scenario, seconds);
          if (round > 0) measured[index]!.push(result);
        }
      }
      lines.push(row(protocol, ...measured));
    }
    process.stdout.write(`${heading}\n${lines.join("\n")}\n`);
  } finally {
    for (const { processes } of variants) for (const running of processes) await running.stop();
  }
}

async function startOne(): Promise<Variant> {
  const ports = await freePorts();
  const processes = [run(greeter(ports), ports)];
  await untilReady(ports.admin);
  return { processes, ports, loadCores: "1" };
}

async function startTwo(): Promise<Variant> {
  const [ports, other] = [await freePorts(), await freePorts()];
  const own = [ports, { ...ports, admin: other.admin }];
  const processes = own.map((own) => run(greeter(own, ["--reuse-port"]), own, BOTH_CORES));
  for (const { admin } of own) await untilReady(admin);
  return { processes, ports, loadCores: BOTH_CORES };
}

/** @throws {Error} the process is not ready within 20 s */
async function untilReady(adminPort: number): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined))?.ok) {
    if (performance.now() > end) throw new Error(`The process with admin port ${adminPort} is not ready after 20 s`);
    await sleep(50);
  }
}

async function measure({ processes, ports, loadCores }: Variant, scenario: Scenario, seconds: number): Promise<Round> {
  const before = processes.map(({ cpu }) => cpu());
  const load = await saturate(scenario, ports[scenario.protocol], seconds, undefined, loadCores);
  const spent = processes.map(({ cpu }, index) => cpu() - before[index]!);
  for (const running of processes) await untilDisconnected(running.ports.admin);
  return {
    requestsPerSecond: load.answered / load.seconds,
    requestsPerCpuSecond: (1e6 * load.answered) / spent.reduce((sum, cpu) => sum + cpu, 0),
    balance: Math.min(...spent) / Math.max(...spent),
  };
}

const heading = `| protocol | requests a second, 1 process | 2 processes | ratio | per CPU second, 1 process | 2 processes | ratio | less busy process |
| --- | --- | --- | --- | --- | --- | --- | --- |`;

function row(protocol: "http" | "grpc", one: Round[], two: Round[]): string {
  const cells = (["requestsPerSecond", "requestsPerCpuSecond"] as const).flatMap((what) => {
    const [single, shared] = [one, two].map((measured) => measured.map((round) => round[what]));
    const ratios = shared!.map((value, round) => value / single![round]!);
    const quartiles = `${quantile(ratios, 0.25).toFixed(2)} to ${quantile(ratios, 0.75).toFixed(2)}`;
    return [thousands(median(single!)), thousands(median(shared!)), `${median(ratios).toFixed(2)} (${quartiles})`];
  });
  const balance = `${(100 * median(two.map((round) => round.balance))).toFixed(0)} %`;
  return `| ${[protocol === "http" ? "HTTP" : "gRPC", ...cells, balance].join(" | ")} |`;
}

const thousands = (value: number): string => Math.round(value).toLocaleString("en");

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
