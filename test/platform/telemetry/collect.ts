import { BlockList } from "node:net";
import { createReadiness } from "../../../src/platform/lifecycle/readiness.ts";
import type { Readiness } from "../../../src/platform/lifecycle/readiness.ts";
import { createTelemetry } from "../../../src/platform/telemetry/telemetry.ts";
import type { Telemetry, TelemetryOptions } from "../../../src/platform/telemetry/telemetry.ts";
import type { LogLine } from "../../process.ts";
import { buildInfo } from "../../sample-build-info.ts";

/** Telemetry of a service, and everything that it recorded. */
export interface CollectedTelemetry {
  telemetry: Telemetry;
  readiness: Readiness;
  /** Every line that the log has written; `telemetry.log.flush()` writes the pending ones. */
  lines: LogLine[];
  /** Resolves with the first line of the log, past or coming, that satisfies the condition. */
  logged: (condition: (line: LogLine) => boolean) => Promise<LogLine>;
  /** The samples of a metric, as Prometheus gets them, by their labels. */
  samples: (name: string) => Record<string, number>;
}

/** Telemetry of a service that is serving, whose log stays here. */
export async function collectTelemetry(options: Partial<TelemetryOptions> = {}): Promise<CollectedTelemetry> {
  const readiness = createReadiness();
  readiness.enter("serving");
  const lines: LogLine[] = [];
  let wake = (): void => {};
  let more = new Promise<void>((resolve) => (wake = resolve));
  const telemetry = await createTelemetry({
    logLevel: "debug",
    accessLog: "all",
    tls: false,
    trustedProxies: new BlockList(),
    readiness,
    buildInfo: Promise.resolve(buildInfo),
    output: {
      write: (text) => {
        for (const line of text.trimEnd().split("\n")) lines.push(JSON.parse(line) as LogLine);
        wake();
        more = new Promise((resolve) => (wake = resolve));
      },
    },
    ...options,
  });
  return {
    readiness,
    telemetry,
    lines,
    logged: async (condition) => {
      for (;;) {
        const found = lines.find(condition);
        if (found) return found;
        await more;
      }
    },
    samples: (name) => {
      const { text } = telemetry.exposeMetrics("text/plain");
      const found = text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm);
      return Object.fromEntries(
        [...found].filter(([, metric]) => metric === name).map(([, , labels = "", value]) => [labels, Number(value)]),
      );
    },
  };
}
