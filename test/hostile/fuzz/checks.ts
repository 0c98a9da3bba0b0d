import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "./targets.ts";
import { DRAIN_TIMEOUT_MS } from "./service.ts";

/** Time in which the connections of the attackers must close, in milliseconds. */
const CLOSE_TIMEOUT_MS = 20_000;

/** Open connections and calls of the paused well-behaved client. */
const expected = new Map([
  ['greeter_connections{protocol="http"}', 1],
  ['greeter_connections{protocol="grpc"}', 1],
  ['rpc_server_active_calls{rpc_system_name="grpc",rpc_method="grpc.health.v1.Health/Watch"}', 1],
]);

/**
 * Waits until every connection and call of the attackers is closed.
 * @returns a problem for each count that stays too high
 */
export async function connectionsReturn({ service, client }: Target): Promise<string[]> {
  await client.pause();
  const left = async (): Promise<string[]> => {
    const samples = [...(await service.metrics())];
    return (
      samples
        .filter(
          ([name, value]) =>
            /^(greeter_connections|\w+_active_\w+)\{/.test(name) && value !== (expected.get(name) ?? 0),
        )
        // The connection of this scrape.
        .filter(([name]) => name !== 'greeter_connections{protocol="admin"}' && !name.startsWith("v8js_"))
        .map(([name, value]) => `${service.name} keeps ${name} ${value}: expected ${expected.get(name) ?? 0}`)
    );
  };
  let problems = await left();
  for (let waited = 0; problems.length > 0 && waited < CLOSE_TIMEOUT_MS; waited += 100) {
    await sleep(100);
    problems = await left();
  }
  return problems;
}

/**
 * Stops a service.
 * @returns duration of the drain in milliseconds, and problems
 */
export async function drains({ service, client }: Target): Promise<{ milliseconds: number; problems: string[] }> {
  await client.pause();
  // The end of the service is a finding already.
  if (service.hasEnded()) {
    client.close();
    return { milliseconds: 0, problems: [] };
  }
  const stuck = setTimeout(() => service.kill(), 2 * DRAIN_TIMEOUT_MS);
  const { how, milliseconds } = await service.stop();
  clearTimeout(stuck);
  client.close();
  const problems = [
    ...(how === "0" ? [] : [`${service.name} ended with ${how} after SIGTERM`]),
    ...(milliseconds > DRAIN_TIMEOUT_MS ? [`${service.name} took ${milliseconds} ms to stop`] : []),
  ];
  return { milliseconds, problems };
}
