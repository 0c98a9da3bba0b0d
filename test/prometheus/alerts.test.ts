import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import type { ExecutionContext } from "ava";
import { monitoring, promtool } from "./promtool.ts";
import { selectorsIn, watchServices } from "./watched.ts";

const rules = await readFile(`${monitoring}/alerts.yaml`, "utf8");

/** Every alert, with its protocol if it has one: an alert may have a rule for each protocol. */
const alerts = rules
  .split("- alert: ")
  .slice(1)
  .map((rule) => nameOf(/^\w+/.exec(rule)![0], /^ +protocol: (\w+)$/m.exec(rule)?.[1]))
  .toSorted(alphabetically);

function nameOf(alert: string, protocol: string | undefined): string {
  return protocol === undefined ? alert : `${alert} (${protocol})`;
}

function alphabetically(a: string, b: string): number {
  return a.localeCompare(b);
}

/** Runs the tests of the alerts with changed rules, and returns promtool's output. */
async function testChanged(t: ExecutionContext, changed: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "greeter-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await cp(`${monitoring}/alerts.test.yaml`, join(folder, "alerts.test.yaml"));
  await writeFile(join(folder, "alerts.yaml"), changed);
  const { code, output } = await promtool(["test", "rules", join(folder, "alerts.test.yaml")]);
  t.is(code, 1, output);
  return output;
}

/** Returns the alerts in promtool's output. */
function alertsIn(output: string): string[] {
  const labels = output.matchAll(/\{alertname="(\w+)"(?:[^}]*protocol="(\w+)")?/g);
  const names = [...labels].map(([, alert, protocol]) => nameOf(alert!, protocol));
  return [...new Set(names)].toSorted(alphabetically);
}

test("promtool accepts the alert rules, and their tests pass", async (t) => {
  t.like(await promtool(["check", "rules", `${monitoring}/alerts.yaml`]), { code: 0 });
  const { code, output } = await promtool(["test", "rules", `${monitoring}/alerts.test.yaml`]);
  t.is(code, 0, output);
});

test("every alert has a test that fails if the alert never fires", async (t) => {
  const output = await testChanged(t, rules.replaceAll(/expr: [^]*?(?=\n {8}(?:for|labels):)/g, "expr: vector(0) > 0"));
  t.deepEqual(alertsIn(output), alerts);
});

test("every alert has a test that fails if the alert ignores its threshold and its duration", async (t) => {
  const output = await testChanged(t, rules.replaceAll(/^ +for: .*\n/gm, "").replaceAll(/> [\d.]+$/gm, ">= 0"));
  const unexpected = output.split(/^ {4}(?=name:|expr:)/m).filter((failure) => /exp:(?:\[\],| nil)/.test(failure));
  t.deepEqual(alertsIn(unexpected.join("")), alerts);
});

test("every series of the alert rules exists, and errors of both protocols raise an alert", async (t) => {
  const prometheus = await watchServices(t);
  const errors = 'count by (protocol) (ALERTS{alertname="GreeterErrors", alertstate="pending"})';
  await prometheus.until(`count(${errors}) == 2`);
  const { groups } = await prometheus.ask<{
    groups: { rules: { name: string; query: string; health: string; lastError?: string }[] }[];
  }>("rules");
  const loaded = groups.flatMap((group) => group.rules);
  t.is(loaded.length, alerts.length);
  for (const { name, query, health, lastError } of loaded) {
    t.is(health, "ok", lastError);
    const selectors = selectorsIn(query);
    t.true(selectors.length > 0, name);
    for (const selector of selectors) t.not((await prometheus.query(selector)).length, 0, `${name}: ${selector}`);
  }
});
