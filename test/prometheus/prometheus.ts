import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionContext } from "ava";
import { endWithParent } from "../end-with-parent.ts";
import { send } from "../platform/http/request.ts";
import { ended, monitoring } from "./promtool.ts";

/** Value of one series at one time. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** A Prometheus that scrapes services. */
export interface Prometheus {
  /**
   * Evaluates an expression.
   * @param time time of the evaluation, in seconds since the Unix epoch; now by default
   * @throws {Error} the expression is invalid
   */
  query(expression: string, time?: number): Promise<Sample[]>;
  /** Resolves with the value of an expression when it has one. Rejects after {@link UNTIL_TIMEOUT_MS}. */
  until(expression: string): Promise<Sample[]>;
  /** Sends another request to its API. */
  ask<Data>(path: string, parameters?: Record<string, string>): Promise<Data>;
}

const POLL_INTERVAL_MS = 20;
const UNTIL_TIMEOUT_MS = 20_000;

/**
 * Starts a Prometheus with its own data and port and the alert rules of deploy/monitoring. It scrapes every service twice a second.
 * @param admins origins of the services' admin ports
 */
export async function startPrometheus(t: ExecutionContext, ...admins: string[]): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), "greeter-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const targets = admins.map((admin) => admin.replace("http://", ""));
  const config = {
    global: { scrape_interval: "500ms", evaluation_interval: "500ms" },
    rule_files: [`${monitoring}/alerts.yaml`],
    scrape_configs: [{ job_name: "greeter", static_configs: [{ targets }] }],
  };
  // JSON is valid YAML.
  await writeFile(join(folder, "prometheus.yml"), JSON.stringify(config));
  const start = () =>
    spawn(
      "prometheus",
      [
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--web.listen-address=127.0.0.1:0",
        "--log.format=json",
      ],
      { cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
    );
  const child = endWithParent(start);
  const end = ended(child);
  t.teardown(async () => {
    child.kill("SIGKILL");
    // Its folder can be removed only after its end.
    await end.catch(() => {});
  });

  const log: string[] = [];
  const ready = new Promise<string>((resolve) => {
    // In either order.
    let listener = "";
    let isReady = false;
    createInterface(child.stderr).on("line", (line) => {
      log.push(line);
      // Errors of its flags are plain text.
      if (!line.startsWith("{")) return;
      const { msg = "", address = "" } = JSON.parse(line) as { msg?: string; address?: string };
      if (msg === "Listening on") listener = address;
      if (msg.startsWith("Server is ready")) isReady = true;
      if (isReady && listener !== "") resolve(listener);
    });
  });
  const gone = end.then((code): never => {
    throw new Error(`Prometheus ended with ${code}:\n${log.join("\n")}`);
  });
  const address = await Promise.race([ready, gone]);

  const ask = async <Data>(path: string, parameters: Record<string, string> = {}): Promise<Data> => {
    // On a new connection, because the server may close a kept one at the moment of its reuse.
    const { body } = await send(`http://${address}`, `/api/v1/${path}?${String(new URLSearchParams(parameters))}`);
    const { data, error } = JSON.parse(body) as { data: Data; error?: string };
    if (error !== undefined) throw new Error(`${error}: ${JSON.stringify(parameters)}`);
    return data;
  };
  const query: Prometheus["query"] = async (expression, time) => {
    interface Vector {
      result: { metric: Record<string, string>; value: [time: number, value: string] }[];
    }
    const { result } = await ask<Vector>("query", { query: expression, ...(time && { time: String(time) }) });
    return result.map(({ metric, value: [, value] }) => ({ labels: metric, value: Number(value) }));
  };
  return {
    ask,
    query,
    until: async (expression) => {
      const deadline = performance.now() + UNTIL_TIMEOUT_MS;
      for (;;) {
        const samples = await query(expression);
        if (samples.length > 0) return samples;
        if (performance.now() > deadline)
          throw new Error(`Expected a value within ${UNTIL_TIMEOUT_MS} ms: ${expression}`);
        await sleep(POLL_INTERVAL_MS);
      }
    },
  };
}
