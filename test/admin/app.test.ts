import test from "ava";
import type { ExecutionContext } from "ava";
import { createAdminApp } from "../../src/admin/app.ts";
import { createAdminServer } from "../../src/admin/server.ts";
import { formatAddress, listen } from "../../src/address.ts";
import { createReadiness } from "../../src/readiness.ts";
import type { Readiness } from "../../src/readiness.ts";
import { send } from "../http/request.ts";

async function serveAdmin(t: ExecutionContext, problem?: string): Promise<{ origin: string; readiness: Readiness }> {
  const readiness = createReadiness();
  const liveness = { problem: () => problem, stop: () => {} };
  const server = createAdminServer(createAdminApp({ readiness, liveness }));
  const address = await listen(server.listener, { host: "127.0.0.1", port: 0 });
  t.teardown(() => server.cut());
  return { origin: `http://${formatAddress(address)}`, readiness };
}

test("/readyz is 200 while serving, and 503 before and after", async (t) => {
  const { origin, readiness } = await serveAdmin(t);
  t.like(await send(origin, "/readyz"), { status: 503, body: "starting\n" });
  readiness.enter("serving");
  t.like(await send(origin, "/readyz"), { status: 200, body: "serving\n" });
  readiness.enter("draining");
  t.like(await send(origin, "/readyz"), { status: 503, body: "draining\n" });
});

test("/livez is 200 in every phase", async (t) => {
  const { origin, readiness } = await serveAdmin(t);
  for (const phase of ["starting", "serving", "draining"] as const) {
    readiness.enter(phase);
    t.like(await send(origin, "/livez"), { status: 200, body: "alive\n" });
  }
});

test("/livez is 503 when there is a problem, and says which", async (t) => {
  const { origin } = await serveAdmin(t, "The event loop was stuck for 6.0 s");
  t.like(await send(origin, "/livez"), { status: 503, body: "The event loop was stuck for 6.0 s\n" });
});

test("/ lists what there is", async (t) => {
  const { origin } = await serveAdmin(t);
  const { status, headers, body } = await send(origin, "/");
  t.is(status, 200);
  t.is(headers["content-type"], "text/html; charset=utf-8");
  for (const path of ["/livez", "/readyz"]) t.true(body.includes(`href="${path}"`));
});

test("nothing else is there, and nothing may be changed", async (t) => {
  const { origin } = await serveAdmin(t);
  t.is((await send(origin, "/Bob")).status, 404);
  t.is((await send(origin, "/livez", { method: "POST" })).status, 405);
  t.is((await send(origin, "/livez", { method: "HEAD" })).status, 200);
  t.is((await send(origin, "/livez")).headers["cache-control"], "no-store");
});
