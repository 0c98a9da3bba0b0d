import type { ExecutionContext } from "ava";
import { listening, serveProcess } from "../process.ts";
import { createAuthority } from "../tls/certificates.ts";
import { startPrometheus } from "./prometheus.ts";
import type { Prometheus } from "./prometheus.ts";
import { serveFailing, startTraffic } from "./traffic.ts";

/**
 * Resolves with a Prometheus that has every series of the service. It has scraped two services: one that has given every kind of response
 * twice, so that every series has a rate, and one with build information and TLS.
 */
export async function watchServices(t: ExecutionContext): Promise<Prometheus> {
  const { cert, key } = createAuthority(t).issue();
  const secure = serveProcess(t, ["--tls-cert", cert, "--tls-key", key]);
  const [{ addresses }, { admin }] = await Promise.all([serveFailing(t), listening(secure)]);
  const traffic = startTraffic(t, addresses);
  const sendRound = async (): Promise<number> => {
    const rounds = await Promise.all([traffic.http(), traffic.grpc()]);
    return rounds.flat().length;
  };
  const counted = (count: number): string =>
    `sum({__name__=~"http_server_request_duration_seconds_count|rpc_server_call_duration_seconds_count"}) == ${count}`;
  const before = await sendRound();
  const prometheus = await startPrometheus(t, addresses.admin, admin);
  await prometheus.until(counted(before));
  await prometheus.until(counted(before + (await sendRound())));
  return prometheus;
}

/** Returns the selectors of a PromQL expression that read the service's metrics, with their label matchers. */
export function selectorsIn(expression: string): string[] {
  const withoutGrouping = expression.replaceAll(/\b(?:by|on|ignoring|group_left|group_right) *\([^)]*\)/g, "");
  const prefixes = "http_server|rpc_server|greeter|nodejs|v8js|process";
  return withoutGrouping.match(new RegExp(`\\b(?:${prefixes})_\\w+(?:\\{[^}]*\\})?`, "g")) ?? [];
}
