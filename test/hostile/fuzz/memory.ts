import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "./targets.ts";
import type { Service } from "./service.ts";

/** Time in which the memory of a service must shrink after the attack, in milliseconds. */
const SHRINK_TIMEOUT_MS = 30_000;

const SAMPLE_INTERVAL_MS = 200;

/** Memory of a process, in MiB. */
export interface Memory {
  resident: number;
  /** Heap in use without new space, including garbage. */
  heap: number;
}

/** Reads the memory of a service from its metrics. */
export async function memory(service: Service): Promise<Memory> {
  const samples = [...(await service.metrics())];
  const mebibytes = (name: RegExp): number =>
    samples.filter(([sample]) => name.test(sample)).reduce((sum, [, value]) => sum + value, 0) / 2 ** 20;
  return {
    resident: mebibytes(/^process_resident_memory_bytes/),
    heap: mebibytes(/^v8js_memory_heap_used_bytes(?!.*"new_)/),
  };
}

/** Maximum growth of the memory: a factor or a number of MiB, whichever is more, because V8 does not return all memory to the system. */
const growth = { resident: { factor: 1.5, mebibytes: 128 }, heap: { factor: 1.5, mebibytes: 16 } };

/**
 * Waits until the memory of a service is below its limit. The well-behaved client sends more requests meanwhile, because V8 collects garbage
 * only if something allocates.
 * @param before memory after the warm-up
 * @returns the least memory since, and problems
 */
export async function memoryReturns(
  { service, client }: Target,
  before: Memory,
): Promise<{ after: Memory; problems: string[] }> {
  client.speedUp();
  let after = await memory(service);
  const problems = (): string[] =>
    (["resident", "heap"] as const)
      .filter((kind) => {
        const { factor, mebibytes } = growth[kind];
        return after[kind] > Math.max(before[kind] * factor, before[kind] + mebibytes);
      })
      .map((kind) => `${service.name} uses ${after[kind].toFixed()} MiB (${kind}), ${before[kind].toFixed()} before`);
  for (let waited = 0; waited < SHRINK_TIMEOUT_MS && problems().length > 0; waited += SAMPLE_INTERVAL_MS) {
    await sleep(SAMPLE_INTERVAL_MS);
    after = smaller(after, await memory(service));
  }
  return { after, problems: problems() };
}

/** Samples of the memory of a service. */
export interface MemoryWatch {
  /** Returns the maximum resident memory, in MiB. */
  peak: () => number;
  /** Returns the minimum since {@link reset}, which is the memory after a garbage collection. */
  least: () => Memory;
  reset: () => void;
  stop: () => void;
}

/** Samples the memory of a service until it ends. */
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
      await sleep(SAMPLE_INTERVAL_MS);
    }
  };
  void watch();
  return {
    peak: () => peak,
    least: () => least,
    reset: () => (least = { resident: Infinity, heap: Infinity }),
    stop: () => stopping.abort(),
  };
}

function smaller(a: Memory, b: Memory): Memory {
  return { resident: Math.min(a.resident, b.resident), heap: Math.min(a.heap, b.heap) };
}
