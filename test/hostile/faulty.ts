// `greeter serve` with a planted fault that one kind of case triggers, for the test that the fuzzer finds faults.
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";

const leaked: Buffer[] = [];
let wrong = false;

/** Effect of a request with an `Expect` header, by the name in the environment variable FAULT. */
const faults: Record<string, () => void> = {
  crash: () => {
    throw new Error("Planted");
  },
  wrong: () => (wrong = true),
  leak: () => leaked.push(Buffer.alloc(200_000_000, 1)),
};
const fault = faults[process.env["FAULT"] ?? ""];

subscribe("http.server.request.start", (event) => {
  const { request, response } = event as { request: IncomingMessage; response: ServerResponse };
  if (wrong) {
    const end = response.end.bind(response);
    response.end = (body?: unknown) => end(String(body).replace("Hello", "Hallo"));
  }
  // Deferred, because Node catches what a subscriber throws.
  if (request.headers.expect !== undefined && fault) setImmediate(fault);
});
await import("../../src/main.ts");
