import type { Authority } from "../../tls/certificates.ts";
import { startTargets } from "./targets.ts";
import type { Targets } from "./targets.ts";
import { caseOf } from "./cases.ts";
import { connectionsReturn, drains } from "./checks.ts";
import type { Finding } from "./findings.ts";
import { memoryReturns, watchMemory } from "./memory.ts";
import type { Memory } from "./memory.ts";
import { clientTable, createTally, mostOften, showProgress, table } from "./report.ts";

export interface CampaignOptions {
  seed: number;
  seconds: number;
  program: string | undefined;
  authority: Authority;
}

/** Number of concurrent cases. */
const CONCURRENCY = 16;

/** Share of the time that warms the service up, because V8's heap always grows at first. Memory is measured after it. */
const WARM_UP_SHARE = 1 / 3;

/**
 * Sends the cases of a seed in order until the time is up.
 * @returns the report and the findings
 */
export async function campaign({
  seed,
  seconds,
  ...options
}: CampaignOptions): Promise<{ report: string; findings: Finding[] }> {
  const targets = await startTargets(options);
  const { findings } = targets;
  const both = [targets.plain, targets.secure];
  const tally = createTally();
  const memories = both.map(({ service }) => watchMemory(service));
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const stopProgress = showProgress(() => {
    const answers = both
      .flatMap(({ client }) => Object.values(client.seen))
      .reduce((sum, seen) => sum + seen.answers, 0);
    const cells = [
      `${elapsed().toFixed()} of ${seconds} s`,
      `${tally.count()} cases`,
      `${(tally.count() / elapsed()).toFixed()}/s`,
      `${answers} responses to the well-behaved client`,
      `${findings.all().length} findings`,
      `${Math.round(Math.max(...memories.map(({ peak }) => peak())))} MiB at most`,
    ];
    return `fuzz: ${cells.join(", ")}`;
  });

  let next = 0;
  const attackUntil = async (end: number): Promise<void> => {
    const worker = async (): Promise<void> => {
      while (elapsed() < end && !targets.isBroken()) {
        const attacking = caseOf(seed, next++);
        tally.add(attacking.kind, await targets.attack(attacking));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  };
  await attackUntil((seconds * WARM_UP_SHARE) / 2);
  for (const { reset } of memories) reset();
  await attackUntil(seconds * WARM_UP_SHARE);
  const before = memories.map(({ least }) => least());
  await attackUntil(seconds);
  const duration = elapsed();
  for (const { stop } of memories) stop();
  const { after, drained } = await check(targets, before);
  stopProgress();

  const inMebibytes = (memory: Memory | undefined): string =>
    memory && memory.heap < Infinity ? `${memory.resident.toFixed()} (${memory.heap.toFixed()})` : "-";
  const memoryRows = both.map(({ service }, index) => {
    const cells = [inMebibytes(before[index]), memories[index]!.peak().toFixed(), inMebibytes(after[index])];
    return [service.name, ...cells, drained[index]!];
  });
  const report = [
    tally.table(),
    `Logged statuses: ${mostOften(targets.statuses)}`,
    clientTable(both),
    table([["service", "MiB (heap) before", "at most", "after", "drain ms"], ...memoryRows]),
    `${tally.count()} cases in ${duration.toFixed(1)} s: ${(tally.count() / duration).toFixed()}/s`,
  ];
  return { report: report.join("\n\n"), findings: findings.all() };
}

/** Checks the memory, the connections and the drain of the services after the attack. */
async function check(
  { plain, secure, isBroken, findings }: Targets,
  before: Memory[],
): Promise<{ after: Memory[]; drained: number[] }> {
  const both = [plain, secure];
  const after: Memory[] = [];
  const drained: number[] = [];
  const add = (problems: string[]): void => {
    for (const problem of problems) findings.add(problem, []);
  };
  if (!isBroken()) {
    const returned = await Promise.all(both.map((each, index) => memoryReturns(each, before[index]!)));
    for (const { after: memory, problems } of returned) {
      after.push(memory);
      add(problems);
    }
    for (const each of both) add(await connectionsReturn(each));
  }
  for (const each of both) {
    const { milliseconds, problems } = await drains(each);
    drained.push(milliseconds);
    add(problems);
  }
  return { after, drained };
}
