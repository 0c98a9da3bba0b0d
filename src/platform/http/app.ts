import { Router } from "@koa/router";
import Koa from "koa";
import type { Context, Middleware } from "koa";
import { formatBuildInfo } from "../build-info.ts";
import { checkText, DEFAULT_NAME, InvalidArgumentError, quote } from "../../greeter/greeter.ts";
import type { Greeter } from "../../greeter/greeter.ts";
import { buildInfoJson, greetingJson } from "../../greeter/json.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { answer } from "./answer.ts";
import { answerErrors } from "./errors.ts";
import type { ErrorReport } from "./errors.ts";
import { nameInPath, nameInQuery, pathOf } from "../../greeter/names.ts";
import { observed } from "./request-observer.ts";
import { greetingPage, versionPage } from "./pages.ts";
import { respond } from "./representations.ts";

export interface AppOptions {
  greeter: Greeter;
  telemetry: Pick<Telemetry, "failed">;
  /** How long a request's URL may be, in bytes. */
  maxUrlSize: number;
}

/** The Greeter over HTTP: `/`, `/<name>` and `/version`. Every other path is a name. */
export function createApp({ greeter, telemetry, maxUrlSize }: AppOptions): Koa {
  const app = new App();
  const report: ErrorReport = (error, context) =>
    telemetry.failed(error, `${context.method} ${context.originalUrl}`, observed(context).exchange);
  app.on("error", report);
  app.use(answerErrors(report));
  app.use((context, next) => {
    boundUrl(context, maxUrlSize);
    takeOriginForm(context);
    onlyRead(context);
    return next();
  });
  const greetName = greet(greeter);
  const fixed = routes(greeter);
  // A router would hold every name against its routes first.
  app.use((context, next) => (fixedPaths.has(context.path) ? fixed(context, next) : greetName(context, next)));
  app.use(greetName);
  return app;
}

/** The paths that are more than a name. */
const fixedPaths = new Set(["/", "/version"]);

/** Koa, without what it does after the middleware: every answer is sent by then, and others see its end. */
class App extends Koa {
  handleRequest(context: Context, middleware: (context: Context) => Promise<void>): Promise<void> {
    return middleware(context).catch((error: unknown) => {
      this.emit("error", error, context);
      // Not even an error could be sent: the server ends it.
      throw error;
    });
  }
}

function boundUrl(context: Context, maxSize: number): void {
  // In a request's first line every character is a byte.
  const { length } = context.req.url ?? "";
  if (length > maxSize) context.throw(414, `The URL has ${length} bytes: expected at most ${maxSize}`);
}

/**
 * Makes the request's target what the rest can rely on: a path with a query. Servers must take the absolute form,
 * `GET http://host/path`, for its path (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2), and one without a host
 * is no request; Koa's own reading of a target throws where it is malformed.
 */
function takeOriginForm(context: Context): void {
  const { httpVersion, headers, url = "" } = context.req;
  if (httpVersion === "1.1" && headers.host === undefined) context.throw(400, "Missing Host header");
  const absolute = /^https?:\/\//i.test(url) ? URL.parse(url) : undefined;
  const target = absolute ? absolute.pathname + absolute.search : url.replace(/#.*/, "");
  if (!target.startsWith("/")) throw new InvalidArgumentError(`Invalid request target ${quote(url)}: expected a path`);
  context.url = target;
}

/** Only reading, and so no body: none is read, and the connection of whoever sends one is closed rather than searched for its end. */
function onlyRead(context: Context): void {
  const { "content-length": length = "0", "transfer-encoding": encoding } = context.req.headers;
  const hasBody = length !== "0" || encoding !== undefined;
  if (hasBody) context.set("Connection", "close");
  if (context.method !== "GET" && context.method !== "HEAD") {
    context.throw(405, `Cannot ${context.method} here: expected GET or HEAD`);
  }
  if (hasBody) context.throw(413, "The request has a body: expected none");
}

function routes(greeter: Greeter): Middleware {
  // Exact: /version/ and /Version are names.
  const router = new Router({ strict: true, sensitive: true });

  router.get("/version", async (context) => {
    observed(context).route = "/version";
    const buildInfo = await greeter.version();
    respond(context, {
      html: () => versionPage(formatBuildInfo(buildInfo)),
      json: () => `${buildInfoJson(buildInfo)}\n`,
      text: () => formatBuildInfo(buildInfo),
    });
  });

  // What the page's form sends.
  router.get("/", async (context, next) => {
    observed(context).route = "/";
    const name = nameInQuery(context.querystring);
    if (name === undefined) return next();
    const location = pathOf(name && checkText("name", name));
    const body = `Redirecting to ${location}.`;
    answer(context, { status: 303, type: "text/plain; charset=utf-8", body, more: ["Location", location] });
  });

  return router.routes() as Middleware;
}

/** Every path that is no other is a name. */
function greet(greeter: Greeter): Middleware {
  return async (context) => {
    observed(context).route = context.path === "/" ? "/" : "/{name}";
    const name = nameInPath(context.path);
    const message = await greeter.greet(name);
    respond(context, {
      html: () => greetingPage(message, name ?? DEFAULT_NAME),
      json: () => `${greetingJson(message)}\n`,
      text: () => `${message}\n`,
    });
  };
}
