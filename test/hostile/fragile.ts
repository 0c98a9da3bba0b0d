// The service with a fault in it that one kind of case brings out, started as `greeter serve` is: for the test that the fuzzer can fail.
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";

const leaked: Buffer[] = [];
let wrong = false;

/** What a request with an expectation does, by the fault that the environment names. */
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
  // Later, for what is thrown here goes to the subscriber's own channel.
  if (request.headers.expect !== undefined && fault) setImmediate(fault);
});
await import("../../src/main.ts");
