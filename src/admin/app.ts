import { Router } from "@koa/router";
import Koa from "koa";
import type { Context } from "koa";
import type { Readiness } from "../readiness.ts";
import type { Liveness } from "./liveness.ts";

/** What operators and probes ask: `/livez`, `/readyz`, and at `/` a list of them. */
export function createAdminApp({ readiness, liveness }: { readiness: Readiness; liveness: Liveness }): Koa {
  const router = new Router();

  // Alive, ready: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
  router.get("/livez", (context) => {
    const problem = liveness.problem();
    answer(context, problem === undefined ? 200 : 503, problem ?? "alive");
  });
  router.get("/readyz", (context) => {
    answer(context, readiness.phase === "serving" ? 200 : 503, readiness.phase);
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
</ul>
`;
