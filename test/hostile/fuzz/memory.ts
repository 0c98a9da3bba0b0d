import { setTimeout as sleep } from "node:timers/promises";
import type { Attacked } from "./arena.ts";
import type { Service } from "./service.ts";

/** How long a service may take to get back to where it was, in milliseconds. */
const PATIENCE = 30_000;

/** How often it is looked at, in milliseconds. */
const INTERVAL = 200;

/** What a process holds, in MiB. */
export interface Memory {
  /** All that it has from the system. */
  resident: number;
  /** What objects take that are not quite new, with the garbage among them. */
  heap: number;
}

/** What a service holds now. */
export async function memory(service: Service): Promise<Memory> {
  const samples = [...(await service.metrics())];
  const mebibytes = (name: RegExp): number =>
    samples.filter(([sample]) => name.test(sample)).reduce((sum, [, value]) => sum + value, 0) / 2 ** 20;
  return {
    resident: mebibytes(/^process_resident_memory_bytes/),
    heap: mebibytes(/^v8js_memory_heap_used_bytes(?!.*"new_)/),
  };
}

/**
 * How much more than at first it may hold in the end: in proportion, and in MiB where that is more. V8 keeps some of what it once needed,
 * and the heap's objects are never all of use.
 */
const growth = { resident: { factor: 1.5, mebibytes: 128 }, heap: { factor: 1.5, mebibytes: 16 } };

/**
 * Waits until a service holds no more memory than it may, while the well-behaved client makes haste: V8 tidies up where something is going on.
 * @param before what it held when it had warmed up
 * @returns the least that it holds now, and what is wrong with that
 */
export async function memoryReturns(
  { service, client }: Attacked,
  before: Memory,
): Promise<{ after: Memory; problems: string[] }> {
  client.hurry();
  let after = await memory(service);
  const problems = (): string[] =>
    (["resident", "heap"] as const)
      .filter((kind) => {
        const { factor, mebibytes } = growth[kind];
        return after[kind] > Math.max(before[kind] * factor, before[kind] + mebibytes);
      })
      .map((kind) => `${service.name} holds ${after[kind].toFixed()} MiB (${kind}): it had ${before[kind].toFixed()}`);
  for (let waited = 0; waited < PATIENCE && problems().length > 0; waited += INTERVAL) {
    await sleep(INTERVAL);
    after = smaller(after, await memory(service));
  }
  return { after, problems: problems() };
}

/** The memory of a service over time. */
export interface MemoryWatch {
  /** The most that it ever had from the system, in MiB. */
  peak: () => number;
  /** The least that it held since {@link forget}: what is left when V8 has just tidied up. */
  least: () => Memory;
  forget: () => void;
  stop: () => void;
}

export function watchMemory(service: Service): MemoryWatch {
  let peak = 0;
  const stopping = new AbortController();
  let least: Memory = { resident: Infinity, heap: Infinity };
  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted && !service.hasEnded()) {
      const now = await memory(service);
      if (service.hasEnded()) break;
      peak = Math.max(peak, now.resident);
      least = smaller(least, now);
      await sleep(INTERVAL);
    }
  };
  void watch();
  return {
    peak: () => peak,
    least: () => least,
    forget: () => (least = { resident: Infinity, heap: Infinity }),
    stop: () => stopping.abort(),
  };
}

function smaller(a: Memory, b: Memory): Memory {
  return { resident: Math.min(a.resident, b.resident), heap: Math.min(a.heap, b.heap) };
}
