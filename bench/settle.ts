import { setTimeout as sleep } from "node:timers/promises";
import { scrape } from "./calls.ts";

const series = /^greeter_connections\{protocol="(?:http|grpc)"\} (\d+)$/gm;

/**
 * Waits until Greeter has closed all connections of a load, so that closing them is not part of the next measurement.
 * @param port port of its admin listener
 * @throws {Error} connections are still open after 20 s
 */
export async function untilDisconnected(port: number): Promise<void> {
  const end = performance.now() + 20_000;
  for (;;) {
    const open = [...(await scrape(port)).matchAll(series)].reduce((sum, [, count]) => sum + Number(count), 0);
    if (open === 0) return;
    if (performance.now() > end) throw new Error(`${open} connections are open 20 s after the load`);
    await sleep(50);
  }
}
