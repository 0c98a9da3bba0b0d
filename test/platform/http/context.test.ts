// The RequestContext of an HTTP request.
import { once } from "node:events";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import test from "ava";
import type { Middleware } from "koa";
import type { RequestContext } from "../../../src/platform/context.ts";
import { requestContext } from "../../../src/platform/http/request-observer.ts";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { createItems } from "../../fixtures/items.ts";
import { itemRoutes } from "../../fixtures/routes.ts";
import { send } from "./request.ts";
import { serveHttp } from "./serve.ts";

const trace = { id: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" };
const traceparent = `00-${trace.id}-${trace.span}-01`;

/** Creates a middleware that stores the context of its requests. */
function recordContexts(): { contexts: RequestContext[]; middleware: Middleware } {
  const contexts: RequestContext[] = [];
  return {
    contexts,
    middleware: (context) => {
      contexts.push(requestContext(context));
      context.body = "x";
    },
  };
}

/** Sends a request without reading its response. */
async function start(port: number, path: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
}

test("a request has its ids, its headers and its peer", async (t) => {
  let seen: object = {};
  const { port } = await serveHttp(t, {
    middleware: [
      (context) => {
        const { requestId, metadata, peer } = requestContext(context);
        seen = { requestId, traceparent: requestContext(context).traceparent, metadata, peer };
        context.body = "x";
      },
    ],
  });
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const { port: ownPort } = socket.address() as AddressInfo;
  const ids = `X-Request-Id: order-66\r\nTraceparent: ${traceparent}\r\n`;
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Tenant: a\r\n${ids}\r\n`);
  const answer = await text(socket);
  t.regex(answer, /\r\nX-Request-Id: order-66\r\n/);
  t.deepEqual(seen, {
    requestId: "order-66",
    traceparent,
    metadata: { host: "x", connection: "close", "x-tenant": "a", "x-request-id": "order-66", traceparent },
    peer: { address: "127.0.0.1", port: ownPort },
  });
});

test("a request without ids gets a request id, and no trace", async (t) => {
  const { contexts, middleware } = recordContexts();
  const { origin } = await serveHttp(t, { middleware: [middleware] });
  const { headers } = await send(origin, "/");
  t.is(contexts[0]!.requestId, headers["x-request-id"] as string);
  t.is(contexts[0]!.traceparent, undefined);
});

test("a request has no deadline, and its signal stays silent when it succeeds", async (t) => {
  const { contexts, middleware } = recordContexts();
  const { origin, logged } = await serveHttp(t, { middleware: [middleware] });
  await send(origin, "/");
  await logged(({ msg }) => msg === "Request");
  t.is(contexts[0]!.deadline, Infinity);
  t.is(contexts[0]!.timeLeftMs(), Infinity);
  t.false(contexts[0]!.signal.aborted);
});

test("all of a request's middleware has the same context", async (t) => {
  const { contexts, middleware } = recordContexts();
  const first: Middleware = async (context, next) => {
    contexts.push(requestContext(context));
    await next();
  };
  const { origin } = await serveHttp(t, { middleware: [first, middleware] });
  await send(origin, "/");
  await send(origin, "/");
  t.is(contexts[0], contexts[1]);
  t.is(contexts[2], contexts[3]);
  t.not(contexts[0], contexts[2]);
});

test("a line of the request's log carries its ids", async (t) => {
  const { origin, logged } = await serveHttp(t, {
    middleware: [
      (context) => {
        requestContext(context).log.warn({ item: 7 }, "Item is odd");
        context.body = "x";
      },
    ],
  });
  await send(origin, "/", { headers: { "X-Request-Id": "order-66", Traceparent: traceparent } });
  const { time: _, ...line } = await logged(({ msg }) => msg === "Item is odd");
  t.deepEqual(line, {
    level: "warn",
    msg: "Item is odd",
    item: 7,
    request_id: "order-66",
    trace_id: trace.id,
    span_id: trace.span,
  });
});

test("the signal aborts when the client leaves", async (t) => {
  const aborted = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const { port, logged } = await serveHttp(t, {
    middleware: [
      async (context) => {
        const { signal } = requestContext(context);
        started.resolve();
        if (!signal.aborted) await once(signal, "abort");
        aborted.resolve();
      },
    ],
  });
  const socket = await start(port, "/");
  await started.promise;
  socket.destroy();
  await aborted.promise;
  t.like(await logged(({ msg }) => msg === "Request"), { status: "CANCELLED" });
});

test("the signal has aborted if a handler asks for it after the client left", async (t) => {
  const started = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<boolean>();
  const { port } = await serveHttp(t, {
    middleware: [
      async (context) => {
        started.resolve();
        await once(context.res, "close");
        aborted.resolve(requestContext(context).signal.aborted);
      },
    ],
  });
  const socket = await start(port, "/");
  await started.promise;
  socket.destroy();
  t.true(await aborted.promise);
});

test("the signal aborts when the server cuts the request off", async (t) => {
  const started = Promise.withResolvers<AbortSignal>();
  const { port, server } = await serveHttp(t, {
    middleware: [
      async (context) => {
        started.resolve(requestContext(context).signal);
        await new Promise(() => {});
      },
    ],
  });
  await start(port, "/");
  const signal = await started.promise;
  t.false(signal.aborted);
  t.is(await server.cut(), 1);
  t.true(signal.aborted);
});

test("a handler that throws frees its slot", async (t) => {
  const admission = createAdmission(1);
  const { origin } = await serveHttp(t, { admission });
  for (const path of ["/items/crash", "/items/fail%20NOT_FOUND", "/items/crash"]) {
    t.not((await send(origin, path)).status, 503);
    t.false(admission.full);
  }
  t.is((await send(origin, "/")).status, 200);
});

test("a handler that ignores the signal frees its slot when its client leaves", async (t) => {
  const started = Promise.withResolvers<void>();
  let finished = false;
  const watch: Middleware = async (context, next) => {
    if (context.path === "/items/deaf") started.resolve();
    await next();
    if (context.path === "/items/deaf") finished = true;
  };
  const { port, origin, logged } = await serveHttp(t, {
    admission: createAdmission(1),
    middleware: [watch, itemRoutes(createItems())],
  });
  const socket = await start(port, "/items/deaf");
  await started.promise;
  t.is((await send(origin, "/items/1")).status, 503);
  socket.destroy();
  await logged(({ status }) => status === "CANCELLED");
  t.is((await send(origin, "/items/1")).status, 200);
  t.false(finished);
});
