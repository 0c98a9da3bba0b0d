import type { Authority } from "../../tls/certificates.ts";
import { openArena } from "./arena.ts";
import type { Arena } from "./arena.ts";
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

/** How many cases are on the way at a time. */
const CONCURRENCY = 16;

/** Which part of the time is for warming up, after which memory is measured: V8's heap grows at first, whatever it is asked. */
const WARM_UP = 1 / 3;

/**
 * Sends the cases of a seed, one after another, until the time is up.
 * @returns the report, and what was found
 */
export async function campaign({
  seed,
  seconds,
  ...options
}: CampaignOptions): Promise<{ report: string; findings: Finding[] }> {
  const arena = await openArena(options);
  const { findings } = arena;
  const attacked = [arena.plain, arena.secure];
  const tally = createTally();
  const memories = attacked.map(({ service }) => watchMemory(service));
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const stopProgress = showProgress(() => {
    const answers = attacked
      .flatMap(({ client }) => Object.values(client.seen))
      .reduce((sum, seen) => sum + seen.answers, 0);
    const cells = [
      `${elapsed().toFixed()} of ${seconds} s`,
      `${tally.count()} cases`,
      `${(tally.count() / elapsed()).toFixed()}/s`,
      `${answers} answers to the well-behaved client`,
      `${findings.all().length} findings`,
      `${Math.round(Math.max(...memories.map(({ peak }) => peak())))} MiB at most`,
    ];
    return `fuzz: ${cells.join(", ")}`;
  });

  let next = 0;
  const attackUntil = async (end: number): Promise<void> => {
    const worker = async (): Promise<void> => {
      while (elapsed() < end && !arena.isBroken()) {
        const attacking = caseOf(seed, next++);
        tally.add(attacking.kind, await arena.attack(attacking));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  };
  await attackUntil((seconds * WARM_UP) / 2);
  for (const { forget } of memories) forget();
  await attackUntil(seconds * WARM_UP);
  const before = memories.map(({ least }) => least());
  await attackUntil(seconds);
  const duration = elapsed();
  for (const { stop } of memories) stop();
  const { after, drained } = await check(arena, before);
  stopProgress();

  const inMebibytes = (memory: Memory | undefined): string =>
    memory && memory.heap < Infinity ? `${memory.resident.toFixed()} (${memory.heap.toFixed()})` : "-";
  const memoryRows = attacked.map(({ service }, index) => {
    const cells = [inMebibytes(before[index]), memories[index]!.peak().toFixed(), inMebibytes(after[index])];
    return [service.name, ...cells, drained[index]!];
  });
  const report = [
    tally.table(),
    `What the service logged of them: ${mostOften(arena.statuses)}`,
    clientTable(attacked),
    table([["service", "MiB (of it heap) before", "at most", "after", "drained in ms"], ...memoryRows]),
    `${tally.count()} cases in ${duration.toFixed(1)} s: ${(tally.count() / duration).toFixed()} a second`,
  ];
  return { report: report.join("\n\n"), findings: findings.all() };
}

/** Holds the services to what they must be after all that. */
async function check(
  { plain, secure, isBroken, findings }: Arena,
  before: Memory[],
): Promise<{ after: Memory[]; drained: number[] }> {
  const attacked = [plain, secure];
  const after: Memory[] = [];
  const drained: number[] = [];
  const add = (problems: string[]): void => {
    for (const problem of problems) findings.add(problem, []);
  };
  if (!isBroken()) {
    const returned = await Promise.all(attacked.map((each, index) => memoryReturns(each, before[index]!)));
    for (const { after: memory, problems } of returned) {
      after.push(memory);
      add(problems);
    }
    for (const each of attacked) add(await connectionsReturn(each));
  }
  for (const each of attacked) {
    const { milliseconds, problems } = await drains(each);
    drained.push(milliseconds);
    add(problems);
  }
  return { after, drained };
}
