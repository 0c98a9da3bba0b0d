import { readFile } from "node:fs/promises";
import test from "ava";
import { monitoring } from "./promtool.ts";
import { selectorsIn, watchServices } from "./watched.ts";

interface Dashboard {
  templating: { list: { definition?: string }[] };
  panels: Panel[];
}

interface Panel {
  title: string;
  targets?: { expr: string; legendFormat: string }[];
  /** Panels of a collapsed row. */
  panels?: Panel[];
}

const dashboard = JSON.parse(await readFile(`${monitoring}/dashboard.json`, "utf8")) as Dashboard;

/** Every query, in the form that Grafana sends. */
const targets = dashboard.panels
  .flatMap((panel) => [panel, ...(panel.panels ?? [])])
  .flatMap(({ title, targets = [] }) => targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })))
  .map(({ expr, ...target }) => ({ ...target, expression: substitute(expr) }));

function substitute(expression: string): string {
  return expression.replaceAll("$job", "greeter").replaceAll("$instance", ".*").replaceAll("$__rate_interval", "1m");
}

test("every panel of the dashboard has data, and every label of its legends exists", async (t) => {
  const prometheus = await watchServices(t);
  const assertSeries = async (selectors: string[], where: string): Promise<void> => {
    t.not(selectors.length, 0, where);
    for (const selector of selectors) t.not((await prometheus.query(selector)).length, 0, `${where}: ${selector}`);
  };
  t.true(targets.length > 10);
  for (const { title, expression, legendFormat } of targets) {
    t.notRegex(expression, /\$/, title);
    const shown = await prometheus.query(expression);
    t.true(
      shown.some(({ value }) => Number.isFinite(value)),
      `${title}: ${expression}`,
    );
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      t.true(
        shown.some(({ labels }) => labels[label!]),
        `${title}: ${label}`,
      );
    }
    // Each operand alone, because a sum has a value even if one of them has none.
    await assertSeries(selectorsIn(expression), title);
  }
  const definitions = dashboard.templating.list.map(({ definition = "" }) => substitute(definition));
  await assertSeries(definitions.flatMap(selectorsIn), "variables");
});
