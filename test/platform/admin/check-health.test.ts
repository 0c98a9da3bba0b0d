import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import test from "ava";
import type { ExecutionContext } from "ava";
import { createAdminApp } from "../../../src/platform/admin/app.ts";
import { createAdminServer } from "../../../src/platform/admin/server.ts";
import { checkHealthCommand } from "../../../src/platform/cli/commands.ts";
import { runProgram } from "../../../src/platform/cli/program.ts";
import { identity } from "../../../src/platform/identity.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
import type { Readiness } from "../../../src/platform/lifecycle/readiness.ts";
import { capture } from "../../command-line.ts";
import type { CommandEnd } from "../../command-line.ts";
import { freePort } from "../../free-port.ts";
import { collectTelemetry } from "../telemetry/collect.ts";

/** Starts an admin server on a port of its own. */
async function serveAdmin(t: ExecutionContext, host: string): Promise<{ port: number; readiness: Readiness }> {
  const { telemetry, readiness } = await collectTelemetry();
  const server = createAdminServer(
    createAdminApp({ readiness, telemetry, liveness: { problem: () => undefined, stop: () => {} } }),
  );
  const { port } = await listen(server.listener, { host, port: 0 });
  t.teardown(() => server.cut());
  return { port, readiness };
}

/** Runs the command. */
function checkHealth(args: string[], env?: NodeJS.ProcessEnv): Promise<CommandEnd> {
  return capture((io) => runProgram("", [checkHealthCommand], ["check-health", ...args], io), env);
}

for (const host of ["127.0.0.1", "0.0.0.0"]) {
  test(`a ready service on ${host} is healthy`, async (t) => {
    const { port } = await serveAdmin(t, host);
    t.deepEqual(await checkHealth(["--admin-addr", `${host}:${port}`]), { code: 0, out: "serving\n", err: "" });
  });
}

test("an address without a host means this machine", async (t) => {
  const { port } = await serveAdmin(t, "");
  t.deepEqual(await checkHealth(["--admin-addr", `:${port}`]), { code: 0, out: "serving\n", err: "" });
});

test("the address comes from the variable of serve", async (t) => {
  const { port } = await serveAdmin(t, "127.0.0.1");
  t.is((await checkHealth([], { [`${identity.variablePrefix}ADMIN_ADDR`]: `0.0.0.0:${port}` })).code, 0);
});

test("a service that drains is not healthy", async (t) => {
  const { port, readiness } = await serveAdmin(t, "127.0.0.1");
  readiness.enter("draining");
  t.deepEqual(await checkHealth(["--admin-addr", `127.0.0.1:${port}`]), {
    code: 1,
    out: "",
    err: "check-health: not serving: draining\n",
  });
});

/** Starts a TCP server, and returns its port. */
async function serveTcp(t: ExecutionContext, onConnection: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer(onConnection).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("a closed port is not healthy", async (t) => {
  const port = await freePort();
  t.deepEqual(await checkHealth(["--admin-addr", `127.0.0.1:${port}`]), {
    code: 1,
    out: "",
    err: `check-health: cannot ask http://127.0.0.1:${port}/readyz: ECONNREFUSED\n`,
  });
});

test("a server that does not respond is not healthy", async (t) => {
  const port = await serveTcp(t, (socket) => socket.on("error", () => {}));
  t.deepEqual(await checkHealth(["--admin-addr", `127.0.0.1:${port}`, "--timeout", "100ms"]), {
    code: 1,
    out: "",
    err: `check-health: cannot ask http://127.0.0.1:${port}/readyz: no answer within 100 ms\n`,
  });
});

test("a server that closes the connection in its response is not healthy", async (t) => {
  const port = await serveTcp(t, (socket) => socket.end("HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nst"));
  t.deepEqual(await checkHealth(["--admin-addr", `127.0.0.1:${port}`]), {
    code: 1,
    out: "",
    err: "check-health: not serving: status 503\n",
  });
});

test("a 200 of another server is not healthy", async (t) => {
  const port = await serveTcp(t, (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nItem readyz\n"));
  t.deepEqual(await checkHealth(["--admin-addr", `127.0.0.1:${port}`]), {
    code: 1,
    out: "",
    err: "check-health: not serving: Item readyz\n",
  });
});

test("port 0 is wrong usage", async (t) => {
  t.deepEqual(await checkHealth(["--admin-addr", "127.0.0.1:0"]), {
    code: 2,
    out: "",
    err: 'check-health: invalid admin address "127.0.0.1:0": expected the port in use\n',
  });
});
