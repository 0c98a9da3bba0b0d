// Compares the service with its peers: cost and latency of a greeting, memory, start-up time and sizes.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { chart } from "./chart.ts";
import { machine, revision, versions } from "./environment.ts";
import { findTools } from "./load.ts";
import { measure } from "./measure.ts";
import { ratiosOf, report } from "./report.ts";
import { measureStarts } from "./starts.ts";
import { subjects } from "./subjects.ts";
import { table } from "./table.ts";

const help = `Usage: npm run bench -- [options]

Measures the built service and its peers in turn on core 0, with the load on core 1. Writes the results to bench/results/, or to
bench/results/partial/ with --quick or --only.

Options:
  --quick                 short rounds, less than a minute in total, to check that the bench works
  --rounds <count>        rounds (default: 10)
  --seconds <count>       duration of the load in a round (default: 2)
  --only <subject,…>      subjects: ${subjects.map(({ name }) => name).join(", ")}
  --help                  show this help
`;

async function main(): Promise<void> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({ options: { quick: flag, rounds: text, seconds: text, only: text, help: flag } });
  if (values.help) return void process.stdout.write(help);
  const quick = values.quick ?? false;
  const rounds = positive(values.rounds ?? (quick ? "1" : "10"), "--rounds");
  const seconds = positive(values.seconds ?? (quick ? "0.2" : "2"), "--seconds");
  const only = values.only?.split(",");
  const unknown = only?.find((name) => !subjects.some((subject) => subject.name === name));
  if (unknown !== undefined) throw new Error(`Invalid --only "${unknown}": expected a subject of --help`);
  if (availableParallelism() < 2) throw new Error("Expected two cores: one for the subjects, one for the load");
  findTools("wrk", "h2load", "taskset");
  if (!existsSync(join(import.meta.dirname, "../dist/greeter.cjs")))
    throw new Error("Cannot find dist/greeter.cjs: expected npm run build");
  const environment = { machine: machine(), revision: revision(), versions: versions() };
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", "1", String(process.pid)]);

  const chosen = subjects.filter(({ name }) => only?.includes(name) ?? true);
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const plan = { rounds, warmUp: quick ? 1 : 3, seconds, rest: quick ? 0.2 : 2, progress };
  const measured = [...(await measure("http", chosen, plan)), ...(await measure("grpc", chosen, plan))];
  const starts = [];
  for (const subject of chosen) {
    progress(`start: ${subject.name}`);
    for (const protocol of subject.protocols) starts.push(await measureStarts(subject, protocol, quick ? 1 : 10));
  }
  const ratios = ratiosOf(measured);
  const sizes = sizesOf(join(import.meta.dirname, "../dist"));
  const settings = { rounds, seconds, quick, only };
  process.stdout.write(`${report(measured, starts, sizes)}\n${table({ settings, ratios, starts })}`);
  if (quick) process.stdout.write("The bench works. The rounds were too short for meaningful results.\n");

  const all = { ...environment, settings, measured, ratios, starts, sizes };
  // Git ignores partial results.
  const folder = join(import.meta.dirname, "results", quick || only !== undefined ? "partial" : "");
  mkdirSync(folder, { recursive: true });
  const { commit, modified } = environment.revision;
  const name = `${new Date().toISOString().slice(0, 10)}-${commit}${modified ? "-modified" : ""}.json`;
  writeFileSync(join(folder, name), `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(join(folder, "latest.svg"), chart(measured));
  progress(`Wrote ${name} and latest.svg to ${folder}`);
}

function sizesOf(folder: string): Record<string, { bytes: number; gzip: number }> {
  const files = readdirSync(folder).map((file) => [file, readFileSync(join(folder, file))] as const);
  return Object.fromEntries(files.map(([file, all]) => [file, { bytes: all.length, gzip: gzipSync(all).length }]));
}

function positive(text: string, option: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`Invalid ${option} "${text}": expected a number above 0`);
  return value;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
