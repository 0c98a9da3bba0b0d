import type { ExecutionContext } from "ava";
import { send, withoutRequestId } from "./request.ts";

/** Methods that a route of GET does not take. */
export const otherMethods = ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE"];

/** Asserts that HEAD has the headers of GET, and no body. */
export async function headIsGetWithoutBody(t: ExecutionContext, origin: string, path: string): Promise<void> {
  const head = await send(origin, path, { method: "HEAD" });
  const full = await send(origin, path);
  t.is(head.body, "");
  t.is(head.status, full.status);
  for (const { headers } of [head, full]) {
    delete headers.date;
    delete headers["x-request-id"];
  }
  t.deepEqual(head.headers, full.headers);
}

/** Asserts that a method is 405, with `Allow` and a message that names the methods of GET. */
export async function isNotAllowed(t: ExecutionContext, origin: string, path: string, method: string): Promise<void> {
  const { status, headers, body } = await send(origin, path, { method, accept: "text/plain" });
  t.is(status, 405);
  t.is(headers.allow, "GET, HEAD");
  t.is(withoutRequestId(body), `Cannot ${method} here: expected GET or HEAD\n`);
}
