import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { createContext } from "../../src/platform/context.ts";
import { contents } from "./ask.ts";
import { createAuthority } from "./certificates.ts";
import { serveTls } from "./serve.ts";

for (const [what, flags, signal] of [
  ["the drain", [], true],
  ["the maximum age", ["--grpc-max-connection-age", "200ms"], false],
] as const) {
  test(`a gRPC connection over TLS that is closed for ${what} loses no call`, async (t) => {
    const authority = createAuthority(t);
    const certificate = authority.issue();
    const [service, next] = [await serveTls(t, certificate, [...flags]), await serveTls(t, certificate)];
    const client = createGreeterClient({
      target: `ipv4:127.0.0.1:${service.ports.grpc},127.0.0.1:${next.ports.grpc}`,
      tls: { ...contents(authority), serverName: "localhost" },
    });
    t.teardown(() => client.close());
    let greeted = 0;
    const enough = new AbortController();
    const callers = Array.from({ length: 20 }, async () => {
      while (!enough.signal.aborted) {
        t.is(await client.greet("Bob", createContext({ deadline: Date.now() + 10_000 })), "Hello, Bob!");
        greeted++;
      }
    });
    const called = Promise.all(callers);
    // Waits for the calls too, so that a failed one ends the test at once.
    const reach = async (count: number): Promise<void> => {
      for (;;) {
        if (greeted >= count) return;
        await Promise.race([called, sleep(10)]);
      }
    };
    await reach(200);
    if (signal) {
      service.kill("SIGTERM");
      t.like(await service.ended, { code: 0, err: "" });
    }
    await reach(greeted + 1000);
    enough.abort();
    await called;
    service.kill("SIGTERM");
    t.like(await service.ended, { code: 0, err: "" });
  });
}
