import test from "ava";
import { durationBounds } from "../../src/platform/telemetry/metrics.ts";
import { blocks } from "../docs.ts";
import { startPrometheus } from "./prometheus.ts";
import type { Sample } from "./prometheus.ts";
import { grpcMix, httpMix, serveFailing, startTraffic } from "./traffic.ts";

/** Duration of the traffic that is measured, in seconds. */
const TRAFFIC_SECONDS = 6;

const HTTP = "http_server_request_duration_seconds";
const GRPC = "rpc_server_call_duration_seconds";

const size = (mix: { times: number }[]): number => mix.reduce((sum, { times }) => sum + times, 0);

test("Prometheus computes the rate, the error ratio and the p99 of the traffic that was sent", async (t) => {
  const { service, addresses } = await serveFailing(t);
  const traffic = startTraffic(t, addresses);
  // Before Prometheus starts, because a new series has no rate.
  await Promise.all([traffic.http(), traffic.grpc()]);
  const prometheus = await startPrometheus(t, addresses.admin);

  /** Resolves with the time of the first scrape that includes so many rounds, in seconds. */
  const scraped = async (rounds: { http: number; grpc: number }): Promise<number> => {
    const [sample] = await prometheus.until(
      `timestamp(greeter_ready) and on () sum(${HTTP}_count) == ${rounds.http * size(httpMix)}` +
        ` and on () sum(${GRPC}_count) == ${rounds.grpc * size(grpcMix)}`,
    );
    return sample!.value;
  };
  const start = await scraped({ http: 1, grpc: 1 });
  const clock = performance.now();

  const stopping = new AbortController();
  const durations = { http: [] as number[][], grpc: [] as number[][] };
  const keepSending = async (protocol: "http" | "grpc"): Promise<void> => {
    while (!stopping.signal.aborted) durations[protocol].push(await traffic[protocol]());
  };
  await Promise.all([
    keepSending("http"),
    keepSending("grpc"),
    prometheus.until(`timestamp(greeter_ready) >= ${start + TRAFFIC_SECONDS}`).finally(() => stopping.abort()),
  ]);
  const end = await scraped({ http: durations.http.length + 1, grpc: durations.grpc.length + 1 });
  const elapsed = (performance.now() - clock) / 1000;
  service.kill("SIGTERM");
  await service.ended;

  // From scrape to scrape, so that nothing is extrapolated. Prometheus 3 excludes a sample at the exact start of the window.
  const window = `${Math.round((end - start) * 1000) + 1}ms`;
  const [httpRatio = "", grpcRatio = ""] = blocks("promql").map((query) => query.replaceAll("[5m]", `[${window}]`));
  const protocols = [
    { protocol: "http", metric: HTTP, status: "http_response_status_code", mix: httpMix, ratio: httpRatio },
    { protocol: "grpc", metric: GRPC, status: "rpc_status_code", mix: grpcMix, ratio: grpcRatio },
  ] as const;
  for (const { protocol, metric, status, mix, ratio } of protocols) {
    const ask = async (expression: string): Promise<number> => (await prometheus.query(expression, end))[0]!.value;
    const sent = durations[protocol].flat();

    const labels = [...new Set(mix.flatMap((kind) => Object.keys(kind.labels)))].join();
    const increase = `sum by (${labels}, ${status}) (${metric}_count - ${metric}_count @ ${start}) > 0`;
    t.deepEqual(
      inOrder(await prometheus.query(increase, end)),
      inOrder(
        mix.map((kind) => ({
          labels: { ...kind.labels, [status]: kind.status },
          value: kind.times * durations[protocol].length,
        })),
      ),
    );

    const rate = await ask(`sum(rate(${metric}_count[${window}]))`);
    t.true(Math.abs(rate / (sent.length / elapsed) - 1) < 0.05, `${rate}/s, ${sent.length} in ${elapsed} s`);

    const errors = size(mix.filter((kind) => kind.labels["error_type"] !== undefined));
    const measuredRatio = await ask(ratio);
    t.true(Math.abs(measuredRatio - errors / size(mix)) < 0.001, `${measuredRatio}, ${errors} of ${size(mix)}`);

    // The log has each duration. A quantile lies in the bucket of its duration.
    const p99 = await ask(`histogram_quantile(0.99, sum by (le) (rate(${metric}_bucket[${window}])))`);
    const measured = service.lines
      .filter((line) => line["protocol"] === protocol && line["duration_ms"] !== undefined)
      .slice(size(mix))
      .map((line) => Number(line["duration_ms"]) / 1000)
      .toSorted((a, b) => a - b);
    t.is(measured.length, sent.length);
    const rank = Math.ceil(0.99 * measured.length);
    // One more on each side, because the log rounds durations near a bound.
    const lower = durationBounds.findLast((bound) => bound < measured[rank - 2]!) ?? 0;
    const upper = boundAbove(measured[rank]!);
    const slowest = Math.max(...sent);
    t.true(p99 > lower && p99 <= upper, `${p99} s, ${measured[rank - 1]} s in the log`);
    t.true(p99 <= boundAbove(slowest), `${p99} s, ${slowest} s for the caller`);
    t.log(protocol, {
      sent: sent.length,
      elapsed,
      rate,
      ratio: measuredRatio,
      p99,
      measured: measured[rank - 1],
      slowest,
    });
  }
});

function inOrder(samples: Sample[]): Sample[] {
  const key = ({ labels }: Sample): string =>
    Object.values(labels)
      .toSorted((a, b) => a.localeCompare(b))
      .join();
  return samples.toSorted((a, b) => key(a).localeCompare(key(b)));
}

function boundAbove(seconds: number): number {
  return durationBounds.find((bound) => bound >= seconds) ?? Infinity;
}
