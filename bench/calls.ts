/** Number of completed calls, by Greeter's own metric. */
export interface Calls {
  ok: number;
  /** By status. Without cancelled calls, because h2load cancels calls at the end of its time. */
  failed: Record<string, number>;
}

const series = /^rpc_server_call_duration_seconds_count\{.*rpc_status_code="(\w+)".*\} (\d+)$/gm;

/**
 * Scrapes Greeter's metrics.
 * @param port port of its admin listener
 */
export async function scrape(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

/**
 * Reads the number of completed calls.
 * @param port port of its admin listener
 */
export async function countCalls(port: number): Promise<Calls> {
  const calls: Calls = { ok: 0, failed: {} };
  for (const [, status, count] of (await scrape(port)).matchAll(series)) {
    if (status === "OK") calls.ok += Number(count);
    else if (status !== "CANCELLED") calls.failed[status!] = (calls.failed[status!] ?? 0) + Number(count);
  }
  return calls;
}

/**
 * Compares h2load's count with Greeter's. All calls must have the status OK. Greeter may count more, because h2load does not wait for the last
 * responses.
 * @param done number of calls that h2load completed
 * @throws {Error} calls failed
 */
export function allAnswered(what: string, done: number, before: Calls, after: Calls): void {
  const ok = after.ok - before.ok;
  const failed = Object.entries(after.failed).filter(([status, count]) => count > (before.failed[status] ?? 0));
  if (ok >= done && failed.length === 0) return;
  const statuses = failed.map(([status, count]) => `${count - (before.failed[status] ?? 0)} ${status}`);
  throw new Error(`${what}: expected ${done} calls OK, got ${[`${ok} OK`, ...statuses].join(", ")}`);
}
