/** The calls that Greeter has answered so far, by its own metric. */
export interface Calls {
  ok: number;
  /** With another status than OK. Those that the client cut off are not among them: h2load does so when its time is over. */
  failed: Record<string, number>;
}

const series = /^rpc_server_call_duration_seconds_count\{.*rpc_status_code="(\w+)".*\} (\d+)$/gm;

/** Greeter's metrics, in Prometheus's text format. @param port of its admin listener */
export async function scrape(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

/** @param port of its admin listener */
export async function countCalls(port: number): Promise<Calls> {
  const calls: Calls = { ok: 0, failed: {} };
  for (const [, status, count] of (await scrape(port)).matchAll(series)) {
    if (status === "OK") calls.ok += Number(count);
    else if (status !== "CANCELLED") calls.failed[status!] = (calls.failed[status!] ?? 0) + Number(count);
  }
  return calls;
}

/**
 * Compares what the load was told with what Greeter counted: all of it must have been OK. There may be some more, whose answers the load did not
 * wait for.
 * @param done by h2load
 * @throws {Error} calls failed
 */
export function allAnswered(what: string, done: number, before: Calls, after: Calls): void {
  const ok = after.ok - before.ok;
  const failed = Object.entries(after.failed).filter(([status, count]) => count > (before.failed[status] ?? 0));
  if (ok >= done && failed.length === 0) return;
  const statuses = failed.map(([status, count]) => `${count - (before.failed[status] ?? 0)} ${status}`);
  throw new Error(`${what}: ${done} calls were done, but ${[`${ok} OK`, ...statuses].join(", ")}`);
}
