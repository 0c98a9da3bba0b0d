import { Router } from "@koa/router";
import test from "ava";
import type { ExecutionContext } from "ava";
import type { Middleware } from "koa";
import { ServiceError } from "../../../src/platform/errors.ts";
import type { Code } from "../../../src/platform/errors.ts";
import type { LogLine } from "../../process.ts";
import { send } from "./request.ts";
import type { Answer } from "./request.ts";
import { serveHttp } from "./serve.ts";

/** Statuses of google/rpc/code.proto, with their reason phrases. */
const statuses: Record<Code, [status: number, title: string]> = {
  CANCELLED: [499, "Client Closed Request"],
  UNKNOWN: [500, "Internal Server Error"],
  INVALID_ARGUMENT: [400, "Bad Request"],
  DEADLINE_EXCEEDED: [504, "Gateway Timeout"],
  NOT_FOUND: [404, "Not Found"],
  ALREADY_EXISTS: [409, "Conflict"],
  PERMISSION_DENIED: [403, "Forbidden"],
  RESOURCE_EXHAUSTED: [429, "Too Many Requests"],
  FAILED_PRECONDITION: [400, "Bad Request"],
  ABORTED: [409, "Conflict"],
  OUT_OF_RANGE: [400, "Bad Request"],
  UNIMPLEMENTED: [501, "Not Implemented"],
  INTERNAL: [500, "Internal Server Error"],
  UNAVAILABLE: [503, "Service Unavailable"],
  DATA_LOSS: [500, "Internal Server Error"],
  UNAUTHENTICATED: [401, "Unauthorized"],
};
for (const [code, [status, title]] of Object.entries(statuses)) {
  test(`${code} is ${status} ${title}`, async (t) => {
    const { origin, telemetry, lines } = await serveHttp(t);
    const accept = "application/json";
    const answer = await send(origin, `/items/fail%20${code}`, { accept });
    t.is(answer.status, status);
    t.is(answer.headers["content-type"], "application/problem+json");
    const { request_id, ...problem } = JSON.parse(answer.body) as { request_id: string };
    t.deepEqual(problem, { title, status, detail: "As asked" } as object);
    t.is(request_id, answer.headers["x-request-id"] as string);
    telemetry.log.flush();
    t.is(lines.filter(({ msg }) => msg === "Request failed").length, status === 500 ? 1 : 0);
  });
}

const retries: { code: Code; retryAfterMs?: number; header: string | undefined }[] = [
  { code: "UNAVAILABLE", header: "1" },
  { code: "UNAVAILABLE", retryAfterMs: 5000, header: "5" },
  { code: "RESOURCE_EXHAUSTED", header: undefined },
  { code: "RESOURCE_EXHAUSTED", retryAfterMs: 0, header: "0" },
  { code: "RESOURCE_EXHAUSTED", retryAfterMs: 1, header: "1" },
  { code: "RESOURCE_EXHAUSTED", retryAfterMs: 1000, header: "1" },
  { code: "RESOURCE_EXHAUSTED", retryAfterMs: 1001, header: "2" },
  { code: "INTERNAL", retryAfterMs: 59_999.5, header: "60" },
];
for (const { code, retryAfterMs, header } of retries) {
  test(`${code} ${retryAfterMs === undefined ? "without a retry time" : `with a retry after ${retryAfterMs} ms`} has Retry-After: ${header}`, async (t) => {
    const { origin } = await serveHttp(t, {
      middleware: [
        () => {
          throw new ServiceError(code, "As asked", { retryAfterMs });
        },
      ],
    });
    t.is((await send(origin, "/")).headers["retry-after"], header);
  });
}

const failures: Record<string, { error: unknown; logged: unknown; detail: string }> = {
  "an Error": { error: new Error("secret"), logged: { type: "Error", message: "secret" }, detail: "Internal error" },
  "a connection error of a dependency": {
    error: Object.assign(new Error("secret"), { code: "ECONNRESET" }),
    logged: { message: "secret", code: "ECONNRESET" },
    detail: "Internal error",
  },
  "a string": { error: "secret", logged: "secret", detail: "Internal error" },
  "a ServiceError with a cause": {
    error: new ServiceError("INTERNAL", "Cannot read the item", { cause: new Error("secret") }),
    logged: { type: "ServiceError", message: "Cannot read the item: secret" },
    detail: "Cannot read the item",
  },
  "an error with the status 500": {
    error: Object.assign(new Error("secret"), { status: 500 }),
    logged: { message: "secret" },
    detail: "Internal Server Error",
  },
  "an error with an impossible status": {
    error: Object.assign(new Error("secret"), { status: 200, expose: true }),
    logged: { message: "secret" },
    detail: "Internal error",
  },
};
for (const [title, { error, logged: expected, detail }] of Object.entries(failures)) {
  test(`${title} is 500, logged with its cause and the request id, and hides its detail`, async (t) => {
    const { origin, logged, telemetry, lines } = await serveHttp(t, {
      middleware: [
        () => {
          throw error;
        },
      ],
    });
    for (const accept of ["text/html", "application/json", "text/plain"]) {
      const { status, headers, body } = await send(origin, "/failing?q", { accept });
      t.is(status, 500);
      t.true(body.includes(detail));
      t.false(body.includes("secret"));
      const id = headers["x-request-id"];
      const line = await logged(({ msg, request_id }) => msg === "Request failed" && request_id === id);
      t.like(line, { level: "error", request: "GET /failing?q" });
      if (typeof expected === "object") t.like(line["err"], expected as object);
      else t.is(line["err"], expected);
    }
    telemetry.log.flush();
    t.is(lines.filter(({ msg }) => msg === "Request failed").length, 3);
  });
}

test("an error of Koa's kind keeps its status, and shows its message only if that is meant for callers", async (t) => {
  const { origin, telemetry, lines } = await serveHttp(t, {
    middleware: [
      ({ path }) => {
        throw Object.assign(new Error("Detail"), { statusCode: 422, expose: path === "/exposed" });
      },
    ],
  });
  const accept = "application/json";
  t.like(JSON.parse((await send(origin, "/exposed", { accept })).body), { status: 422, detail: "Detail" });
  t.like(JSON.parse((await send(origin, "/", { accept })).body), { status: 422, detail: "Unprocessable Entity" });
  telemetry.log.flush();
  t.false(lines.some(({ msg }) => msg === "Request failed"));
});

/** Serves a handler at `/x`, asks once, and returns the response with the failures that the log has. */
async function failWith(t: ExecutionContext, handler: Middleware): Promise<{ answer?: Answer; failures: LogLine[] }> {
  const { origin, telemetry, lines, logged } = await serveHttp(t, { middleware: [new Router().get("/x", handler)] });
  const answer = await send(origin, "/x", { accept: "text/plain" }).catch(() => undefined);
  await logged(({ msg }) => msg === "Request");
  telemetry.log.flush();
  return { ...(answer && { answer }), failures: lines.filter(({ msg }) => msg === "Request failed") };
}

test("an error of an upstream's client shows neither its message nor its headers", async (t) => {
  const upstream = Object.assign(new Error("secret"), { status: 503, headers: { "set-cookie": "a=b" } });
  const { answer, failures } = await failWith(t, async () => Promise.reject(upstream));
  t.is(answer?.status, 503);
  t.false(answer?.body.includes("secret"));
  t.is(answer?.headers["set-cookie"], undefined);
  t.is(failures.length, 1);
});

test("a 502 of a middleware, and an unavailable dependency, are logged with their cause", async (t) => {
  const thrown = await failWith(t, (context) => context.throw(502, "The upstream is broken"));
  t.is(thrown.answer?.status, 502);
  t.is(thrown.failures.length, 1);
  const cause = new Error("connect ECONNREFUSED");
  const unavailable = await failWith(t, async () => Promise.reject(new ServiceError("UNAVAILABLE", "Busy", { cause })));
  t.is(unavailable.answer?.status, 503);
  t.is(unavailable.failures.length, 1);
});

test("a web stream that fails is logged", async (t) => {
  const { failures } = await failWith(t, (context) => {
    context.body = new ReadableStream({ pull: (controller) => controller.error(new Error("Broken source")) });
  });
  t.is(failures.length, 1);
});

test("an error that cannot be rendered is a bare 500", async (t) => {
  const { answer } = await failWith(t, (context) => context.throw(400, "Bad", { headers: { "x-bad": "a\nb" } }));
  t.is(answer?.status, 500);
  t.is(answer?.body, "");
});
