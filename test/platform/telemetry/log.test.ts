import test from "ava";
import { createLog, terminalOutput } from "../../../src/platform/telemetry/log.ts";
import type { Output } from "../../../src/platform/telemetry/log.ts";

/** Collects the writes of a log. */
function collect(): Output & { writes: string[]; written: Promise<void> } {
  const writes: string[] = [];
  const { promise: written, resolve } = Promise.withResolvers<void>();
  const write = (text: string): void => {
    writes.push(text);
    resolve();
  };
  return { writes, written, write };
}

const color = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g");

test("a line is JSON with its level, time, fields and message", async (t) => {
  const output = collect();
  const before = Date.now();
  createLog("info", output).warn({ status: "400" }, "Request");
  await output.written;
  const { time, ...line } = JSON.parse(output.writes.join("")) as Record<string, string>;
  t.deepEqual(line, { level: "warn", status: "400", msg: "Request" });
  t.true(Date.parse(time!) >= before && Date.parse(time!) <= Date.now());
});

test("lines are written together and in order, and a flush writes them at once", async (t) => {
  const output = collect();
  const log = createLog("info", output);
  log.info("a");
  log.writeAccessLog("warn", "b", { count: 1 }, ({ count }) => `"count":${count}`);
  log.info("c");
  t.deepEqual(output.writes, []);
  await output.written;
  const lines = output.writes[0]!.trimEnd().split("\n");
  t.deepEqual(
    lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
    ["a", "b", "c"],
  );
  t.like(JSON.parse(lines[1]!), { level: "warn", count: 1 });
  log.info("d");
  log.flush();
  t.is(output.writes.length, 2);
  t.regex(output.writes[1]!, /"msg":"d"/);
  log.flush();
  t.is(output.writes.length, 2);
});

test("the level may change at any time", async (t) => {
  const output = collect();
  const log = createLog("info", output);
  log.debug("a");
  log.level = "debug";
  log.debug("b");
  log.level = "silent";
  log.fatal("c");
  log.writeAccessLog("fatal", "d", {}, () => "");
  log.flush();
  t.is(output.writes.length, 1);
  t.regex(output.writes[0]!, /"msg":"b"/);
});

/** Returns the text that a terminal gets from a log, without colors. */
async function onTerminal(record: (log: ReturnType<typeof createLog>) => void): Promise<string> {
  const output = collect();
  const log = createLog("info", await terminalOutput(output));
  record(log);
  log.flush();
  return output.writes.join("").replaceAll(color, "");
}

test("a terminal gets a readable line and the stack of an error", async (t) => {
  const listening = await onTerminal((log) => log.info({ protocol: "http", address: "0.0.0.0:8080" }, "Listening"));
  t.regex(listening, /^\[\d\d:\d\d:\d\d\] INFO: Listening \{"protocol":"http","address":"0\.0\.0\.0:8080"\}\n$/);
  const failed = await onTerminal((log) => log.error({ err: new Error("No disk"), request: "GET /a b" }, "Failed"));
  t.regex(failed, /ERROR: Failed[^]*"GET \/a b"[^]*No disk\n +at /);
});

test("a terminal gets a short line for a request", async (t) => {
  const fields = {
    protocol: "http",
    method: "GET",
    route: "/items/{id}",
    path: "/items/Bob",
    status: "200",
    duration_ms: 0.4,
  };
  t.regex(await onTerminal((log) => log.info(fields, "Request")), /INFO: GET \/items\/Bob 200 in 0\.4 ms/);
});

test("text from a caller cannot control the terminal", async (t) => {
  const err = Object.assign(new Error("\u001b[2J\u0007"), { stack: "Error: \u001b[2J\u0007\u009b1m\n    at x" });
  const shown = await onTerminal((log) =>
    log.error({ err, path: "/\u001b]0;x\u0007\n\u009b31m\u007f" }, "Request failed"),
  );
  // oxlint-disable-next-line no-control-regex -- the control characters that must be absent
  t.notRegex(shown, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test("a terminal gets text that is no JSON as it is", async (t) => {
  const output = collect();
  const terminal = await terminalOutput(output);
  const line = '{"level":"info","time":"2026-01-01T00:00:00Z","msg":"Serving"}';
  for (const text of ["", "\n", "no JSON\n", "{\n", "null\n", "1\n", `no JSON\n${line}\n[]\n`]) terminal.write(text);
  const shown = output.writes.join("").replaceAll(color, "");
  t.regex(shown, /^no JSON$/m);
  t.regex(shown, /^\[\d\d:\d\d:\d\d\] INFO: Serving$/m);
});

test("a terminal gets a backslash before a letter as it is", async (t) => {
  const line = await onTerminal((log) => log.info({ path: "C:\\temp\\bin" }, "Opened"));
  t.true(line.includes(String.raw`C:\temp\bin`), line);
});
