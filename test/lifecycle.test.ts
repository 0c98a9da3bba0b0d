import test from "ava";
import type { LogLine } from "./process.ts";
import { startProcess } from "./process.ts";

const program = [`${import.meta.dirname}/lifecycle-scenario.ts`];
const messages = (lines: LogLine[]): string[] => lines.map(({ msg }) => msg);

test("a signal during the start ends it when everything is started, without ever being ready", async (t) => {
  const scenario = startProcess(t, [...program, "signal during start"]);
  await scenario.logged(({ msg }) => msg === "Starting");
  scenario.kill("SIGTERM");
  t.like(await scenario.ended, { code: 0, err: "" });
  t.false(messages(scenario.lines).includes("Ready"));
  t.like(scenario.lines.at(-1), { msg: "Stopped", reason: "SIGTERM", code: 0 });
});

test("a server that can't start ends those before it", async (t) => {
  const scenario = startProcess(t, [...program, "failed start"]);
  t.like(await scenario.ended, { code: 1, err: "" });
  t.deepEqual(messages(scenario.lines), ["Listening", "Cut", "Not started"]);
});

for (const [name, origin, text] of [
  ["thrown error", "uncaughtException", "Thrown"],
  ["rejected promise", "unhandledRejection", "Rejected"],
] as const) {
  test(`a ${name} that nobody catches is logged with its cause, drained for, and exit code 1`, async (t) => {
    const scenario = startProcess(t, [...program, name]);
    t.like(await scenario.ended, { code: 1, err: "" });
    t.deepEqual(messages(scenario.lines).slice(2, 6), ["Serving", "Ready", "Uncaught error", "Not ready"]);
    const uncaught = scenario.lines.find(({ msg }) => msg === "Uncaught error");
    t.like(uncaught, { level: "fatal", origin });
    t.regex(JSON.stringify(uncaught), new RegExp(text));
    if (name === "thrown error") t.regex(JSON.stringify(uncaught), /The cause/);
    t.like(scenario.lines.at(-1), { msg: "Stopped", reason: origin, code: 1 });
  });
}

test("observers are ended after the servers", async (t) => {
  const scenario = startProcess(t, [...program, "rejected promise"]);
  await scenario.ended;
  t.deepEqual(
    scenario.lines.filter(({ msg }) => msg === "Cut").map((line) => line["protocol"]),
    ["fine", "observer"],
  );
});
