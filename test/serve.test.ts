import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { formatAddress, listen } from "../src/address.ts";
import { createGreeterClient } from "../src/grpc/client.ts";
import { send } from "./http/request.ts";
import { listening, serveProcess } from "./process.ts";

const root = join(import.meta.dirname, "..");

test("without build information it serves all the same: Version fails alone, and the log tells why", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "greeter-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, "src"), join(folder, "src"), { recursive: true });
  cpSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));

  const service = serveProcess(t, [], { program: [join(folder, "src/main.ts")] });
  const { http, grpc } = await listening(service);
  const client = createGreeterClient({ target: grpc, timeoutMs: 10_000 });
  t.teardown(() => client.close());
  t.is(await client.greet("Bob"), "Hello, Bob!");
  await t.throwsAsync(client.version(), { message: "INTERNAL: Internal error" });
  t.is((await send(http, "/version")).status, 500);

  t.like(await service.logged(({ level }) => level === "warn"), { msg: "No build information" });
  const failed = (request: string): Promise<unknown> =>
    service.logged(({ level, msg, ...line }) => level === "error" && line["request"] === request);
  t.like(await failed("GET /version"), { msg: "Request failed" });
  t.like(await failed("greeter.v1.GreeterService/Version"), { msg: "Request failed" });
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
});

test("logs nothing less severe than it is told to", async (t) => {
  const finder = createServer();
  const address = await listen(finder, { host: "127.0.0.1", port: 0 });
  finder.close();
  const service = serveProcess(t, ["--log-level", "warn", "--addr", formatAddress(address)]);
  const serving = async (): Promise<boolean> => {
    try {
      return (await send(`http://${formatAddress(address)}`, "/")).status === 200;
    } catch {
      return false;
    }
  };
  while (!(await serving())) await sleep(20);
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
  t.deepEqual(service.lines, []);
});
