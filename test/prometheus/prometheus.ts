import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionContext } from "ava";
import { send } from "../platform/http/request.ts";
import { ended, monitoring } from "./promtool.ts";

/** One of the series that an expression gives, as it is at one time. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** A Prometheus that scrapes. */
export interface Prometheus {
  /**
   * Asks for an expression's value.
   * @param time when, in seconds since 1970; now without it
   * @throws {Error} Prometheus takes it for no expression
   */
  query(expression: string, time?: number): Promise<Sample[]>;
  /** Resolves with an expression's value once it has one; rejects when it has none for long. */
  until(expression: string): Promise<Sample[]>;
  /** Asks its API for something else. */
  ask<Data>(path: string, parameters?: Record<string, string>): Promise<Data>;
}

const PAUSE = 20;
const PATIENCE = 20_000;

/**
 * Starts a Prometheus with data and a port of its own, that has our alert rules and scrapes services twice a second.
 * @param admins the origins of their admin ports
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
  // Every JSON is YAML.
  await writeFile(join(folder, "prometheus.yml"), JSON.stringify(config));
  const child = spawn(
    "prometheus",
    [
      "--config.file=prometheus.yml",
      "--storage.tsdb.path=data",
      "--web.listen-address=127.0.0.1:0",
      "--log.format=json",
    ],
    { cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  const end = ended(child);
  t.teardown(async () => {
    child.kill("SIGKILL");
    // Not before that may its folder be removed.
    await end.catch(() => {});
  });

  const log: string[] = [];
  const ready = new Promise<string>((resolve) => {
    let listener = "";
    createInterface(child.stderr).on("line", (line) => {
      log.push(line);
      // What is wrong with its flags it tells in plain words.
      if (!line.startsWith("{")) return;
      const { msg = "", address = "" } = JSON.parse(line) as { msg?: string; address?: string };
      if (msg === "Listening on") listener = address;
      if (msg.startsWith("Server is ready")) resolve(listener);
    });
  });
  const gone = end.then((code): never => {
    throw new Error(`Prometheus ended with ${code}:\n${log.join("\n")}`);
  });
  const address = await Promise.race([ready, gone]);

  const ask = async <Data>(path: string, parameters: Record<string, string> = {}): Promise<Data> => {
    // On a connection of its own: one that is kept may be closed just when it is used again.
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
      const deadline = Date.now() + PATIENCE;
      for (;;) {
        const samples = await query(expression);
        if (samples.length > 0) return samples;
        if (Date.now() > deadline) throw new Error(`Prometheus has found nothing for a long time: ${expression}`);
        await sleep(PAUSE);
      }
    },
  };
}
