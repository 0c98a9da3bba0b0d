import test from "ava";
import type { LogLine } from "../../process.ts";
import { startProcess } from "../../process.ts";

const program = [`${import.meta.dirname}/scenario.ts`];
const messages = (lines: LogLine[]): string[] => lines.map(({ msg }) => msg);

test("a signal during the start ends it when everything is started, without ever being ready", async (t) => {
  const scenario = startProcess(t, [...program, "signal during start"]);
  await scenario.logged(({ msg }) => msg === "Starting");
  scenario.kill("SIGTERM");
  t.like(await scenario.ended, { code: 0, err: "" });
  t.false(messages(scenario.lines).includes("Ready"));
  t.true(messages(scenario.lines).includes("Not ready"));
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

test("after an uncaught error the first signal is still the first, and the second ends it at once", async (t) => {
  const scenario = startProcess(t, [...program, "thrown error", "3600000"]);
  await scenario.logged(({ msg }) => msg === "Not ready");
  scenario.kill("SIGTERM");
  scenario.kill("SIGINT");
  const { code } = await scenario.ended;
  t.true(code === 130 || code === 143, String(code));
});

test("a signal before anything handles it ends the process at once, with the code of a shell", async (t) => {
  const source = `import "${import.meta.dirname}/../../../src/platform/lifecycle/signals.ts";
    setInterval(() => {}, 1000);
    process.kill(process.pid, "SIGTERM");`;
  const early = startProcess(t, ["--input-type=module", "--eval", source]);
  t.deepEqual(await early.ended, { code: 143, signal: null, err: "" });
});

test("observers are ended after the servers", async (t) => {
  const scenario = startProcess(t, [...program, "rejected promise"]);
  await scenario.ended;
  t.deepEqual(
    scenario.lines.filter(({ msg }) => msg === "Cut").map((line) => line["protocol"]),
    ["fine", "observer"],
  );
});
