import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import test from "ava";
import type { ExecutionContext } from "ava";
import { createAdminApp } from "../../../src/platform/admin/app.ts";
import { createAdminServer } from "../../../src/platform/admin/server.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
import type { Readiness } from "../../../src/platform/lifecycle/readiness.ts";
import { greeter } from "../../command-line.ts";
import { freePort } from "../../free-port.ts";
import { collectTelemetry } from "../telemetry/collect.ts";

/** An admin server on a port of its own. */
async function serveAdmin(t: ExecutionContext, host: string): Promise<{ port: number; readiness: Readiness }> {
  const { telemetry, readiness } = await collectTelemetry();
  const server = createAdminServer(
    createAdminApp({ readiness, telemetry, liveness: { problem: () => undefined, stop: () => {} } }),
  );
  const { port } = await listen(server.listener, { host, port: 0 });
  t.teardown(() => server.cut());
  return { port, readiness };
}

const checkHealth = (args: string[], env?: NodeJS.ProcessEnv): ReturnType<typeof greeter> =>
  greeter(["check-health", ...args], env);

for (const host of ["127.0.0.1", "0.0.0.0"]) {
  test(`a service that serves on ${host} is healthy`, async (t) => {
    const { port } = await serveAdmin(t, host);
    t.deepEqual(await checkHealth(["--admin-addr", `${host}:${port}`]), { code: 0, out: "serving\n", err: "" });
  });
}

test("without a host, every address of this machine is asked", async (t) => {
  const { port } = await serveAdmin(t, "");
  t.deepEqual(await checkHealth(["--admin-addr", `:${port}`]), { code: 0, out: "serving\n", err: "" });
});

test("the address is the one that serve has from the environment", async (t) => {
  const { port } = await serveAdmin(t, "127.0.0.1");
  t.is((await checkHealth([], { GREETER_ADMIN_ADDR: `0.0.0.0:${port}` })).code, 0);
});

test("one that drains is not healthy", async (t) => {
  const { port, readiness } = await serveAdmin(t, "127.0.0.1");
  readiness.enter("draining");
  t.deepEqual(await checkHealth(["--admin-addr", `127.0.0.1:${port}`]), {
    code: 1,
    out: "",
    err: "check-health: not serving: draining\n",
  });
});

/** The port of a server that takes connections, and does with them what it is told. */
async function serveTcp(t: ExecutionContext, connected: Parameters<typeof createServer>[1]): Promise<number> {
  const server = createServer(connected).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("one that is not there is not healthy", async (t) => {
  const port = await freePort();
  t.deepEqual(await checkHealth(["--admin-addr", `127.0.0.1:${port}`]), {
    code: 1,
    out: "",
    err: `check-health: cannot ask http://127.0.0.1:${port}/readyz: ECONNREFUSED\n`,
  });
});

test("one that says nothing is not healthy", async (t) => {
  const port = await serveTcp(t, (socket) => socket.on("error", () => {}));
  t.deepEqual(await checkHealth(["--admin-addr", `127.0.0.1:${port}`, "--timeout", "100ms"]), {
    code: 1,
    out: "",
    err: `check-health: cannot ask http://127.0.0.1:${port}/readyz: no answer within 100 ms\n`,
  });
});

test("one that breaks off in its answer is not healthy", async (t) => {
  const port = await serveTcp(t, (socket) => socket.end("HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nst"));
  t.deepEqual(await checkHealth(["--admin-addr", `127.0.0.1:${port}`]), {
    code: 1,
    out: "",
    err: "check-health: not serving: status 503\n",
  });
});

test("a server that is no admin port is not healthy, whatever it answers", async (t) => {
  const port = await serveTcp(t, (socket) =>
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nHello, readyz!\n"),
  );
  t.deepEqual(await checkHealth(["--admin-addr", `127.0.0.1:${port}`]), {
    code: 1,
    out: "",
    err: "check-health: not serving: Hello, readyz!\n",
  });
});

test("a port of 0 is none to ask, and wrong usage", async (t) => {
  t.deepEqual(await checkHealth(["--admin-addr", "127.0.0.1:0"]), {
    code: 2,
    out: "",
    err: 'check-health: invalid admin address "127.0.0.1:0": expected the port in use\n',
  });
});
