import { readdirSync, readFileSync } from "node:fs";

/** Returns the CPU time of all threads of a process, in microseconds. */
export function cpuTime(pid: number): number {
  const threads = `/proc/${pid}/task`;
  // The first number of schedstat is in nanoseconds (https://docs.kernel.org/scheduler/sched-stats.html), finer than the clock ticks of stat.
  const spent = (thread: string): number =>
    Number(readFileSync(`${threads}/${thread}/schedstat`, "utf8").split(" ")[0]);
  return readdirSync(threads).reduce((sum, thread) => sum + spent(thread), 0) / 1000;
}
