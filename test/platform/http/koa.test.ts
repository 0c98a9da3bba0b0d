// Plain, idiomatic Koa (https://github.com/koajs/koa/blob/master/docs/api/context.md) works on the HTTP server and on the admin server.
import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import test from "ava";
import type { ExecutionContext } from "ava";
import type Koa from "koa";
import type { Context, Middleware } from "koa";
import { createAdminApp } from "../../../src/platform/admin/app.ts";
import { createAdminServer } from "../../../src/platform/admin/server.ts";
import { formatAddress } from "../../../src/platform/config/address.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";
import type { LogLine } from "../../process.ts";
import { collectTelemetry } from "../telemetry/collect.ts";
import type { CollectedTelemetry } from "../telemetry/collect.ts";
import { send } from "./request.ts";
import { serveHttp } from "./serve.ts";

interface ServedKoa extends CollectedTelemetry {
  app: Koa;
  origin: string;
  port: number;
}

/** Serves a middleware on one of the servers. */
type Serve = (t: ExecutionContext, middleware: Middleware) => Promise<ServedKoa>;

const servers: Record<string, Serve> = {
  HTTP: async (t, middleware) => {
    const { server, ...served } = await serveHttp(t, { middleware: [middleware] });
    return { ...served, app: server.app };
  },
  admin: async (t, middleware) => {
    const collected = await collectTelemetry();
    const liveness = { problem: () => undefined, stop: () => {} };
    // The admin server's own routes take none of the paths below.
    const app = createAdminApp({ ...collected, liveness }).use(middleware);
    const server = createAdminServer(app);
    const address = await listen(server.listener, { host: "127.0.0.1", port: 0 });
    t.teardown(() => server.cut());
    return { ...collected, app, origin: `http://${formatAddress(address)}`, port: address.port };
  },
};

/** Returns the failures in the log, after the server has answered one more request. */
async function failures(t: ExecutionContext, { origin, telemetry, lines }: ServedKoa): Promise<LogLine[]> {
  t.true((await send(origin, "/after")).status < 600);
  telemetry.log.flush();
  return lines.filter(({ msg }) => msg === "Request failed");
}

/** Returns the status of `GET /x`; 500 if the response is cut off. */
function statusOf({ origin }: ServedKoa): Promise<number> {
  return send(origin, "/x").then(
    ({ status }) => status,
    () => 500,
  );
}

/** Creates a stream that fails when it is read. */
function failingStream(): Readable {
  return new Readable({
    read() {
      this.destroy(new Error("secret"));
    },
  });
}

/** Bodies that Koa documents, with the headers of their responses. Without a length the response is chunked. */
const bodies: { title: string; body: () => unknown; status?: number; type?: string; length?: string; sent: string }[] =
  [
    { title: "a text", body: () => "Ünï", type: "text/plain; charset=utf-8", length: "5", sent: "Ünï" },
    { title: "HTML", body: () => "<b>x</b>", type: "text/html; charset=utf-8", length: "8", sent: "<b>x</b>" },
    { title: "an empty text", body: () => "", type: "text/plain; charset=utf-8", length: "0", sent: "" },
    { title: "a Buffer", body: () => Buffer.from("bin"), type: "application/octet-stream", length: "3", sent: "bin" },
    {
      title: "an object",
      body: () => ({ a: [1] }),
      type: "application/json; charset=utf-8",
      length: "9",
      sent: '{"a":[1]}',
    },
    { title: "an array", body: () => [1, 2], type: "application/json; charset=utf-8", length: "5", sent: "[1,2]" },
    { title: "a stream", body: () => Readable.from(["a", "b"]), type: "application/octet-stream", sent: "ab" },
    { title: "a Blob", body: () => new Blob(["blob"]), type: "application/octet-stream", length: "4", sent: "blob" },
    { title: "null", body: () => null, status: 204, sent: "" },
  ];

/** Values that are no Error. */
const nonErrors: Record<string, unknown> = { "a string": "secret", "an object": { secret: 1 } };

for (const [name, serve] of Object.entries(servers)) {
  for (const { title, body, status = 200, type, length, sent } of bodies) {
    test(`${name}: ctx.body takes ${title}, for GET and HEAD`, async (t) => {
      const served = await serve(t, (context) => {
        context.body = body();
      });
      const get = await send(served.origin, "/x");
      const head = await send(served.origin, "/x", { method: "HEAD" });
      for (const { status: actual, headers } of [get, head]) {
        t.is(actual, status);
        t.is(headers["content-type"], type);
        t.is(headers["content-length"], length);
      }
      t.is(get.body, sent);
      t.is(head.body, "");
      t.deepEqual(await failures(t, served), []);
    });
  }

  test(`${name}: ctx.body takes a web stream and a Response`, async (t) => {
    const { origin } = await serve(t, (context) => {
      const response = new Response("web", { status: 202 });
      context.body = context.path === "/stream" ? response.body : response;
    });
    t.like(await send(origin, "/stream"), { status: 200, body: "web" });
    t.like(await send(origin, "/response"), { status: 202, body: "web" });
  });

  for (const status of [204, 205, 304]) {
    test(`${name}: ctx.status ${status} drops the body`, async (t) => {
      const { origin } = await serve(t, (context) => {
        context.body = "dropped";
        context.status = status;
      });
      const { headers, ...answer } = await send(origin, "/x");
      t.deepEqual(answer, { status, body: "" });
      t.is(headers["content-type"], undefined);
    });
  }

  test(`${name}: ctx.status without a body sends the reason phrase`, async (t) => {
    const { origin } = await serve(t, (context) => {
      context.status = 202;
    });
    t.like(await send(origin, "/x"), { status: 202, body: "Accepted" });
  });

  test(`${name}: ctx.status = 404 keeps the body, and gets one if there is none`, async (t) => {
    const { origin } = await serve(t, (context) => {
      context.status = 404;
      if (context.path === "/own") context.body = { error: "No such item" };
      if (context.path === "/empty") context.body = "";
    });
    const { status, body } = await send(origin, "/none", { accept: "text/plain" });
    t.is(status, 404);
    t.not(body, "");
    t.like(await send(origin, "/own"), { status: 404, body: '{"error":"No such item"}' });
    t.like(await send(origin, "/empty"), { status: 404, body: "" });
  });

  test(`${name}: ctx.set works after await next()`, async (t) => {
    const { origin } = await serve(t, async (context, next) => {
      context.body = "x";
      await next();
      context.set("X-After", "set");
      context.append("X-After", "appended");
      context.vary("Cookie");
    });
    const { headers } = await send(origin, "/x");
    t.is(headers["x-after"], "set, appended");
    t.true(headers.vary?.includes("Cookie"));
  });

  test(`${name}: ctx.redirect sends the location`, async (t) => {
    const { origin } = await serve(t, (context) => context.redirect("/elsewhere?q=ü"));
    const { status, headers } = await send(origin, "/x");
    t.is(status, 302);
    t.is(headers.location, "/elsewhere?q=%C3%BC");
  });

  test(`${name}: ctx.cookies reads and sets cookies`, async (t) => {
    const { origin } = await serve(t, (context) => {
      context.body = context.cookies.get("a");
      context.cookies.set("b", "2");
    });
    const { headers, body } = await send(origin, "/x", { headers: { Cookie: "a=1" } });
    t.is(body, "1");
    t.deepEqual(headers["set-cookie"], ["b=2; path=/; httponly"]);
  });

  test(`${name}: ctx.respond = false leaves the response to the handler`, async (t) => {
    const served = await serve(t, (context) => {
      context.respond = false;
      setImmediate(() => context.res.writeHead(200, { "X-Own": "yes" }).end("own"));
    });
    const { status, headers, body } = await send(served.origin, "/x");
    t.like({ status, own: headers["x-own"], body }, { status: 200, own: "yes", body: "own" });
    t.deepEqual(await failures(t, served), []);
  });

  test(`${name}: ctx.throw sends its status, message and headers, and drops those of the response`, async (t) => {
    const served = await serve(t, (context) => {
      context.set("X-Dropped", "yes");
      context.throw(418, "Short and stout", { headers: { "X-Kept": "yes" } });
    });
    const { status, headers, body } = await send(served.origin, "/x", { accept: "text/plain" });
    t.is(status, 418);
    t.true(body.startsWith("Short and stout"));
    t.is(headers["x-kept"], "yes");
    t.is(headers["x-dropped"], undefined);
    t.deepEqual(await failures(t, served), []);
  });

  test(`${name}: ctx.assert throws an error that a middleware may catch`, async (t) => {
    const { origin } = await serve(t, (context: Context) => {
      try {
        context.assert(context.query["q"] !== undefined, 422, "Missing q");
      } catch (error) {
        context.body = (error as Error).message;
      }
    });
    t.like(await send(origin, "/x"), { status: 200, body: "Missing q" });
  });

  test(`${name}: a failure is 500 without its detail, and is logged once`, async (t) => {
    const served = await serve(t, (context) => {
      if (context.path === "/x") throw new Error("secret");
      context.body = "x";
    });
    const { status, body } = await send(served.origin, "/x");
    t.is(status, 500);
    t.false(body.includes("secret"));
    const [line, ...others] = await failures(t, served);
    t.like(line, { level: "error", err: { message: "secret" } });
    t.deepEqual(others, []);
  });

  test(`${name}: app.on("error") gets each error with its context`, async (t) => {
    const { origin, app } = await serve(t, (context) => context.throw(context.path === "/x" ? 418 : 500, "As asked"));
    const errors: [string, string][] = [];
    app.on("error", (error: Error, context: Context) => errors.push([error.message, context.path]));
    await send(origin, "/x");
    await send(origin, "/y");
    t.deepEqual(errors, [
      ["As asked", "/x"],
      ["As asked", "/y"],
    ]);
  });

  for (const [what, value] of Object.entries(nonErrors)) {
    test(`${name}: ${what} that is thrown is 500, and is logged once`, async (t) => {
      const served = await serve(t, (context) => {
        if (context.path === "/x") throw value;
        context.body = "x";
      });
      const { status, body } = await send(served.origin, "/x");
      t.is(status, 500);
      t.false(body.includes("secret"));
      t.is((await failures(t, served)).length, 1);
    });
  }

  test(`${name}: a body stream that fails gets no whole response, and is logged`, async (t) => {
    const served = await serve(t, (context) => {
      context.body = context.path === "/x" ? failingStream() : "x";
    });
    t.is(await statusOf(served), 500);
    t.not((await failures(t, served)).length, 0);
  });

  test(`${name}: ill-formed text in an error breaks no response`, async (t) => {
    const { origin } = await serve(t, (context) => context.throw(418, "half \uD83D pair"));
    for (const accept of ["text/html", "application/json", "text/plain"]) {
      const { status, body } = await send(origin, "/x", { accept });
      t.is(status, 418);
      t.regex(body, /half (\uFFFD|\\ud83d) pair/);
    }
  });

  test(`${name}: an error whose properties throw breaks no other response`, async (t) => {
    const { origin } = await serve(t, (context) => {
      if (context.path !== "/x") return void (context.body = "x");
      const trap = (): never => {
        throw new Error("A property that throws");
      };
      throw Object.defineProperties(new Error("x"), { status: { get: trap }, message: { get: trap } });
    });
    await send(origin, "/x").catch(() => {});
    t.is((await send(origin, "/y")).status, 200);
  });
}

const serve = servers["HTTP"]!;

for (const value of [null, undefined]) {
  test(`${value} that is thrown is 500, and is logged once`, async (t) => {
    const served = await serve(t, (context) => {
      if (context.path === "/x") throw value;
      context.body = "x";
    });
    t.is(await statusOf(served), 500);
    t.is((await failures(t, served)).length, 1);
  });
}

test("a failure in the error page's headers ends the request, which is logged", async (t) => {
  const served = await serve(t, (context) => {
    if (context.path !== "/x") return void (context.body = "x");
    context.throw(418, "Short and stout", { headers: { "X-Bad": "\n" } });
  });
  t.like(await send(served.origin, "/x"), { status: 500, body: "" });
  await served.logged(({ msg }) => msg === "Error handling failed");
  t.deepEqual(await failures(t, served), []);
});

test("a body stream that fails while the middleware still runs is logged once", async (t) => {
  const served = await serve(t, async (context) => {
    if (context.path !== "/x") return void (context.body = "x");
    const body = failingStream().resume();
    context.body = body;
    // Unlike events.once, this adds no listener for the error.
    await new Promise((resolve) => body.once("close", resolve));
  });
  const { status, body } = await send(served.origin, "/x");
  t.is(status, 500);
  t.false(body.includes("secret"));
  t.is((await failures(t, served)).length, 1);
});

test("a body stream that fails before its first byte is logged once", async (t) => {
  const served = await serve(t, (context) => {
    context.body = context.path === "/x" ? failingStream() : "x";
  });
  t.is(await statusOf(served), 500);
  t.is((await failures(t, served)).length, 1);
});

test("a body stream that another body has replaced may fail", async (t) => {
  const served = await serve(t, (context) => {
    const replaced = new Readable({ destroy: (_, callback) => callback(new Error("Replaced")) });
    context.body = replaced;
    context.body = "x";
  });
  t.like(await send(served.origin, "/x"), { status: 200, body: "x" });
  t.deepEqual(await failures(t, served), []);
});

for (const [title, length] of [
  ["chunked", undefined],
  ["of a known length", 10],
] as const) {
  test(`a body stream that is ${title} and fails in the middle is cut off, and logged once`, async (t) => {
    const body = new Readable({ read: () => {} });
    const served = await serve(t, (context) => {
      if (context.path !== "/x") return void (context.body = "x");
      context.body = body;
      if (length !== undefined) context.length = length;
      body.push("start");
    });
    const socket = connect(served.port, "127.0.0.1");
    socket.write("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    let received = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      received += chunk;
      if (received.includes("start")) body.destroy(new Error("secret"));
    });
    await once(socket, "close");
    t.true(received.startsWith("HTTP/1.1 200 OK"));
    t.regex(received, /start(\r\n)?$/);
    t.is((await failures(t, served)).length, 1);
  });
}

test("a body stream is destroyed when its client leaves, which is no failure", async (t) => {
  const body = new Readable({ read: () => {} });
  const served = await serve(t, (context) => {
    if (context.path !== "/x") return void (context.body = "x");
    context.body = body;
    body.push("start");
  });
  const socket = connect(served.port, "127.0.0.1");
  const closed = new Promise((resolve) => body.once("close", resolve));
  socket.write("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.on("data", (chunk) => String(chunk).includes("start") && socket.destroy());
  await closed;
  t.deepEqual(await failures(t, served), []);
});

for (const [when, body] of Object.entries({
  handler: (): never => {
    throw new Error("secret");
  },
  "body stream": failingStream,
})) {
  test(`an error listener that throws after a failed ${when} breaks no response`, async (t) => {
    const served = await serve(t, (context) => {
      context.body = context.path === "/x" ? body() : "x";
    });
    served.app.on("error", () => {
      throw new Error("The listener fails, too");
    });
    t.is(await statusOf(served), 500);
    t.like(await served.logged(({ msg }) => msg === "Error handling failed"), {
      err: { message: "The listener fails, too" },
    });
    t.is((await failures(t, served)).length, 1);
  });
}
