import { Router } from "@koa/router";
import Koa from "koa";
import type { Context } from "koa";
import { InvalidArgumentError } from "../../greeter/greeter.ts";
import type { Readiness } from "../lifecycle/readiness.ts";
import type { Exposition, Telemetry } from "../telemetry/telemetry.ts";
import type { Liveness } from "./liveness.ts";

export interface AdminOptions {
  readiness: Pick<Readiness, "phase">;
  liveness: Liveness;
  telemetry: Pick<Telemetry, "setLogLevel" | "log"> & {
    exposeMetrics(accept: string): Exposition | Promise<Exposition>;
  };
}

/** What operators and probes ask: `/livez`, `/readyz`, `/metrics`, `/log-level`, and at `/` a list of them. */
export function createAdminApp({ readiness, liveness, telemetry }: AdminOptions): Koa {
  const router = new Router();

  // Alive, ready: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
  router.get("/livez", (context) => {
    const problem = liveness.problem();
    answer(context, problem === undefined ? 200 : 503, problem ?? "alive");
  });
  router.get("/readyz", (context) => {
    answer(context, readiness.phase === "serving" ? 200 : 503, readiness.phase);
  });
  router.get("/metrics", async (context) => {
    const { contentType, text } = await telemetry.exposeMetrics(context.get("Accept"));
    context.vary("Accept");
    context.set("Content-Type", contentType);
    context.body = text;
  });
  router.get("/log-level", (context) => answer(context, 200, telemetry.log.level));
  // Here and not by a signal: a container without a shell has nothing to send one with, and this says what it is set to.
  // No page of another origin can send a PUT (https://fetch.spec.whatwg.org/#methods).
  router.put("/log-level", async (context) => {
    try {
      telemetry.setLogLevel(await bodyOf(context));
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      return answer(context, 400, error.message);
    }
    answer(context, 200, telemetry.log.level);
  });
  router.get("/", (context) => {
    context.type = "html";
    context.body = index;
  });

  const app = new Koa();
  app.use(async (context, next) => {
    context.set("Cache-Control", "no-store");
    await next();
  });
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

function answer(context: Context, status: number, text: string): void {
  context.status = status;
  context.body = `${text}\n`;
}

/** A body of a word or so; of a longer one, the beginning. */
async function bodyOf({ req: request }: Context): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body = (body + String(chunk)).slice(0, 100);
  return body.trim();
}

const index = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Greeter: admin</title>
<style>:root { color-scheme: light dark; font: 1.0625rem/1.6 system-ui, sans-serif; } body { margin: 2rem; }</style>
<h1>Greeter: admin</h1>
<ul>
<li><a href="/livez">/livez</a>: 200 while the process works, 503 when it should be restarted</li>
<li><a href="/readyz">/readyz</a>: 200 while it serves, 503 while it starts or drains</li>
<li><a href="/metrics">/metrics</a>: what Prometheus scrapes</li>
<li><a href="/log-level">/log-level</a>: the least severe messages that are logged; a PUT changes it until the process ends</li>
</ul>
`;
