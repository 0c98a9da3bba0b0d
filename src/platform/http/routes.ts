import type { Router } from "@koa/router";
import type { Context, Middleware } from "koa";
import { decodePercent } from "../text.ts";
import { observed } from "./request-observer.ts";

/** Entry of a router's table: a route, or a middleware, which has no methods. */
type Layer = Router["stack"][number];

/** Returns the pattern of a route, with a name in braces for each parameter, such as `/orders/{id}`: metric label and span name. */
export function patternOf({ path }: Layer): string {
  return String(path).replaceAll(/[:*](\w+)/g, "{$1}");
}

/** Methods whose requests may have a body. */
const methodsWithBody = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/**
 * Creates the middleware that finds the route of a request in the routers' own tables. It labels the request for telemetry. It rejects a
 * method that neither a route nor another middleware takes with 405 and `Allow`, and a body that the method does not allow with 413.
 */
export function matchRoute(routers: readonly Router[]): Middleware {
  const routes = routers.flatMap(({ stack }) => stack).filter(({ methods }) => methods.length > 0);
  const patterns = new Map(routes.map((route) => [route, patternOf(route)]));
  return async (context, next) => {
    const { method, path } = context;
    const { headers } = context.req;
    let pattern: string | undefined;
    const methods: string[] = [];
    for (const router of routers) {
      const matched = router.match(path, method);
      for (const layer of matched.pathAndMethod) pattern ??= patterns.get(layer);
      if (pattern !== undefined) break;
      for (const layer of matched.path) methods.push(...layer.methods);
    }
    observed(context).route = pattern;
    decodePercent("path", path);
    const allowed = pattern !== undefined || methods.length === 0;
    const hasBody = (headers["content-length"] ?? "0") !== "0" || headers["transfer-encoding"] !== undefined;
    // The server does not read the body of a rejected request, so the connection must close.
    if (hasBody && !(allowed && methodsWithBody.has(method))) context.set("Connection", "close");
    if (allowed && hasBody && !methodsWithBody.has(method)) context.throw(413, "The request has a body: expected none");
    await next();
    // Another middleware may take the method, such as OPTIONS.
    if (allowed || isAnswered(context)) return;
    const allow = [...new Set(methods)].toSorted();
    const detail = `Cannot ${method} here: expected ${allow.join(" or ")}`;
    context.throw(405, detail, { headers: { Allow: allow.join(", ") } });
  };
}

/** Reports whether a middleware has responded. Without a response Koa has the status 404 and no body. */
export function isAnswered({ status, body, respond }: Context): boolean {
  return status !== 404 || body !== undefined || respond === false;
}
