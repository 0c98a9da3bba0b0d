import test from "ava";
import { startProcess } from "../../process.ts";
import type { LogLine } from "../../process.ts";

const program = [`${import.meta.dirname}/scenario.ts`];
const messages = (lines: LogLine[]): string[] => lines.map(({ msg }) => msg);

test("a signal during the start ends the process after the start, and it never becomes ready", async (t) => {
  const scenario = startProcess(t, [...program, "signal during start"]);
  await scenario.logged(({ msg }) => msg === "Starting");
  scenario.kill("SIGTERM");
  t.like(await scenario.ended, { code: 0, err: "" });
  t.false(messages(scenario.lines).includes("Ready"));
  t.true(messages(scenario.lines).includes("Not ready"));
  t.like(scenario.lines.at(-1), { msg: "Stopped", reason: "SIGTERM", code: 0 });
});

test("a signal during the start skips the drain delay", async (t) => {
  const scenario = startProcess(t, [...program, "signal during start", "3600000"]);
  await scenario.logged(({ msg }) => msg === "Starting");
  scenario.kill("SIGTERM");
  t.like(await scenario.logged(({ msg }) => msg.startsWith("Draining")), { delay_ms: 0 });
  t.like(await scenario.ended, { code: 0, err: "" });
});

test("a server that cannot start stops the servers before it", async (t) => {
  const scenario = startProcess(t, [...program, "failed start"]);
  t.like(await scenario.ended, { code: 1, err: "" });
  t.deepEqual(messages(scenario.lines), ["Listening", "Cut", "Not started"]);
});

for (const [name, origin, text] of [
  ["thrown error", "uncaughtException", "Thrown"],
  ["rejected promise", "unhandledRejection", "Rejected"],
] as const) {
  test(`an uncaught ${name} is logged with its cause, and the process drains and exits with 1`, async (t) => {
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

test("after an uncaught error the first signal changes nothing, and the second ends the process at once", async (t) => {
  const scenario = startProcess(t, [...program, "thrown error", "3600000"]);
  await scenario.logged(({ msg }) => msg === "Not ready");
  scenario.kill("SIGTERM");
  await scenario.logged(({ msg }) => msg === "Signal");
  scenario.kill("SIGINT");
  t.like(await scenario.ended, { code: 130, err: "" });
});

test("a signal before the lifecycle starts ends the process at once, with the exit code of a shell", async (t) => {
  const source = `import "${import.meta.dirname}/../../../src/platform/lifecycle/signals.ts";
    setInterval(() => {}, 1000);
    process.kill(process.pid, "SIGTERM");`;
  const early = startProcess(t, ["--input-type=module", "--eval", source]);
  t.deepEqual(await early.ended, { code: 143, signal: null, err: "" });
});

test("admin servers stop after the other servers", async (t) => {
  const scenario = startProcess(t, [...program, "rejected promise"]);
  await scenario.ended;
  t.deepEqual(
    scenario.lines.filter(({ msg }) => msg === "Cut").map((line) => line["protocol"]),
    ["rejecter", "admin"],
  );
});
