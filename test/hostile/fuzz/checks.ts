import { setTimeout as sleep } from "node:timers/promises";
import type { Attacked } from "./arena.ts";
import { DRAIN_TIMEOUT } from "./service.ts";

/** How long a service may take to get back to where it was, in milliseconds. */
const PATIENCE = 20_000;

/** What is open when nobody is there but the well-behaved client, which asks nothing any more. */
const expected = new Map([
  ['greeter_connections{protocol="http"}', 1],
  ['greeter_connections{protocol="grpc"}', 1],
  ['rpc_server_active_calls{rpc_system_name="grpc",rpc_method="grpc.health.v1.Health/Watch"}', 1],
]);

/**
 * Waits until every connection and call of the attackers is gone.
 * @returns what is left of them
 */
export async function connectionsReturn({ service, client }: Attacked): Promise<string[]> {
  await client.pause();
  const left = async (): Promise<string[]> => {
    const samples = [...(await service.metrics())];
    return (
      samples
        .filter(
          ([name, value]) =>
            /^(greeter_connections|\w+_active_\w+)\{/.test(name) && value !== (expected.get(name) ?? 0),
        )
        // The one that asks.
        .filter(([name]) => name !== 'greeter_connections{protocol="admin"}' && !name.startsWith("v8js_"))
        .map(([name, value]) => `${service.name} is left with ${name} ${value}: expected ${expected.get(name) ?? 0}`)
    );
  };
  let problems = await left();
  for (let waited = 0; problems.length > 0 && waited < PATIENCE; waited += 100) {
    await sleep(100);
    problems = await left();
  }
  return problems;
}

/**
 * Stops a service.
 * @returns how long that took, in milliseconds, and what went wrong
 */
export async function drains({ service, client }: Attacked): Promise<{ milliseconds: number; problems: string[] }> {
  await client.pause();
  // Told of when it did.
  if (service.hasEnded()) {
    client.close();
    return { milliseconds: 0, problems: [] };
  }
  const stuck = setTimeout(() => service.kill(), 2 * DRAIN_TIMEOUT);
  const { how, milliseconds } = await service.stop();
  clearTimeout(stuck);
  client.close();
  const problems = [
    ...(how === "0" ? [] : [`${service.name} ended with ${how} when it was told to stop`]),
    ...(milliseconds > DRAIN_TIMEOUT ? [`${service.name} took ${milliseconds} ms to stop`] : []),
  ];
  return { milliseconds, problems };
}
