import { Stream } from "node:stream";
import { Router } from "@koa/router";
import Koa from "koa";
import type { Context, Middleware, Response } from "koa";
import { invalidArgument } from "../errors.ts";
import type { HttpTelemetry } from "../telemetry/http.ts";
import { quote } from "../text.ts";
import { reportError, respondWithError } from "./errors.ts";
import { headers } from "./headers.ts";
import { observed } from "./request-observer.ts";
import { isAnswered, matchRoute, patternOf } from "./routes.ts";

/** Creates the Koa app of some services: their routers, and any other middleware, in the order in which they run. */
export function createApp(
  middleware: readonly (Router | Middleware)[],
  telemetry: Pick<HttpTelemetry, "expect">,
  maxUrlSize: number,
): Koa {
  const app = new Koa();
  const onerror = function (this: Context, error: unknown): void {
    respondWithError(this, error);
  };
  Object.assign(app.context, { onerror });
  app.on("error", reportError);
  handleBodyErrors(app);
  app.use(async (context, next) => {
    context.set({ ...headers, "X-Request-Id": observed(context).record.requestId });
    const { url = "" } = context.req;
    // Every character of a request's first line is a byte.
    if (url.length > maxUrlSize) context.throw(414, `The URL has ${url.length} bytes: expected at most ${maxUrlSize}`);
    takeOriginForm(context);
    try {
      await next();
    } catch (error) {
      // Koa takes null and undefined for no error.
      throw error ?? new TypeError(`The value ${error} was thrown`);
    }
    // Koa's own 404 is a bare text.
    if (!isAnswered(context)) context.throw(404, "Unknown path");
  });
  const routers = middleware.filter((each) => each instanceof Router);
  app.use(matchRoute(routers));
  for (const each of middleware) app.use(each instanceof Router ? (each.routes() as Middleware) : each);
  for (const route of routers.flatMap(({ stack }) => stack)) {
    for (const method of route.methods) if (method !== "HEAD") telemetry.expect(method, patternOf(route));
  }
  return app;
}

/**
 * Handles the failures of body streams from the start. Koa 3.3 does so after the middleware only, and a failure before that would end
 * the process.
 */
function handleBodyErrors(app: Koa): void {
  const body = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(app.response), "body")!;
  const set = function (this: Response, value: unknown): void {
    body.set!.call(this, value);
    if (!(value instanceof Stream)) return;
    // A middleware may have piped the stream to another one. A body that is no stream has replaced it.
    value.on("error", (error) => this.body instanceof Stream && this.ctx.onerror(error));
  };
  Object.defineProperty(app.response, "body", { ...body, set });
}

/**
 * Reduces the request target to a path with a query. Servers must accept the absolute form, `GET http://host/path`
 * (https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2), and reject a request without a host. Koa's own parser throws on malformed
 * targets.
 */
function takeOriginForm(context: Context): void {
  const { httpVersion, headers, url = "" } = context.req;
  if (httpVersion === "1.1" && headers.host === undefined) context.throw(400, "Missing Host header");
  const absolute = /^https?:\/\//i.test(url) ? URL.parse(url) : undefined;
  const target = absolute ? absolute.pathname + absolute.search : url.replace(/#.*/, "");
  if (!target.startsWith("/")) throw invalidArgument(`Invalid request target ${quote(url)}: expected a path`);
  context.url = target;
}
