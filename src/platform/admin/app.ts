import { Router } from "@koa/router";
import Koa from "koa";
import type { Context } from "koa";
import { isInvalidArgument } from "../errors.ts";
import { identity } from "../identity.ts";
import type { Readiness } from "../lifecycle/readiness.ts";
import { logFailure } from "../telemetry/request.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Liveness } from "./liveness.ts";

interface AdminDependencies {
  readiness: Readiness;
  liveness: Liveness;
  telemetry: Telemetry;
}

/** Creates the app for operators and probes: `/livez`, `/readyz`, `/metrics`, `/log-level`, and an index at `/`. */
export function createAdminApp({ readiness, liveness, telemetry }: AdminDependencies): Koa {
  const router = new Router();

  // https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
  router.get("/livez", (context) => {
    const problem = liveness.problem();
    respond(context, problem === undefined ? 200 : 503, problem ?? "alive");
  });
  router.get("/readyz", (context) => {
    respond(context, readiness.phase === "serving" ? 200 : 503, readiness.phase);
  });
  router.get("/metrics", (context) => {
    const { contentType, text } = telemetry.exposeMetrics(context.get("Accept"));
    context.vary("Accept");
    context.set("Content-Type", contentType);
    context.body = text;
  });
  router.get("/log-level", (context) => respond(context, 200, telemetry.log.level));
  // Not a signal, because an image without a shell cannot send one. A page of another origin cannot send a PUT
  // (https://fetch.spec.whatwg.org/#methods).
  router.put("/log-level", async (context) => {
    try {
      telemetry.setLogLevel(await readWord(context));
    } catch (error) {
      if (!isInvalidArgument(error)) throw error;
      return respond(context, 400, error.message);
    }
    respond(context, 200, telemetry.log.level);
  });
  router.get("/", (context) => {
    context.type = "html";
    context.body = index;
  });

  const app = new Koa();
  app.on("error", (error: Error & { expose?: boolean }, context: Context) => {
    if (!error.expose) logFailure(telemetry.log, error, `${context.method} ${context.path}`);
  });
  app.use(async (context, next) => {
    context.set("Cache-Control", "no-store");
    await next();
  });
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

function respond(context: Context, status: number, text: string): void {
  context.status = status;
  context.body = `${text}\n`;
}

/** Reads a body of one word. A longer body is cut off. */
async function readWord({ req: request }: Context): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body = (body + String(chunk)).slice(0, 100);
  return body.trim();
}

const index = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${identity.title}: admin</title>
<style>:root { color-scheme: light dark; font: 1.0625rem/1.6 system-ui, sans-serif; } body { margin: 2rem; }</style>
<h1>${identity.title}: admin</h1>
<ul>
<li><a href="/livez">/livez</a>: liveness; 200, or 503 if the process should be restarted</li>
<li><a href="/readyz">/readyz</a>: readiness; 200 while it serves, 503 while it starts or drains</li>
<li><a href="/metrics">/metrics</a>: metrics for Prometheus</li>
<li><a href="/log-level">/log-level</a>: minimum log level; PUT changes it until the process ends</li>
</ul>
`;
