import { execFile } from "node:child_process";
import { connect as connectTcp } from "node:net";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { promisify } from "node:util";
import test from "ava";
import { send } from "../platform/http/request.ts";
import { checkout } from "../process.ts";
import { asks, contents } from "./ask.ts";
import { createAuthority } from "./certificates.ts";
import { serveTls } from "./serve.ts";

/** Resolves with the socket when the handshake succeeds. Rejects if it fails. */
async function shakeHands(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ...options }, () => resolve(socket));
  socket.on("error", reject);
  return await promise;
}

for (const [protocol, ask] of Object.entries(asks) as [keyof typeof asks, (typeof asks)["http"]][]) {
  test(`${protocol}: a client that trusts the authority gets its greeting`, async (t) => {
    const authority = createAuthority(t);
    const { ports } = await serveTls(t, authority.issue());
    t.is(await ask(ports[protocol], { ca: authority.ca }), "Hello, Bob!");
  });

  test(`${protocol}: clients reject a certificate that is untrusted, expired or for another name`, async (t) => {
    const authority = createAuthority(t);
    const { ports } = await serveTls(t, authority.issue());
    await t.throwsAsync(ask(ports[protocol], { ca: createAuthority(t).ca }), { message: /certificate/ });
    const named = { ca: authority.ca, serverName: "greeter.example" };
    await t.throwsAsync(ask(ports[protocol], named), { message: /altnames/ });

    const expired = await serveTls(t, authority.issue({ days: -1 }));
    await t.throwsAsync(ask(expired.ports[protocol], { ca: authority.ca }), { message: /expired/ });
    await expired.logged(({ level, msg }) => level === "warn" && /expired/.test(msg));
  });

  test(`${protocol}: with required client certificates, the server accepts only valid ones`, async (t) => {
    const { ca, issue } = createAuthority(t);
    const { ports } = await serveTls(t, issue(), ["--tls-client-ca", ca]);
    const port = ports[protocol];
    t.is(await ask(port, { ca, certificate: issue({ name: "client" }) }), "Hello, Bob!");
    await t.throwsAsync(ask(port, { ca }));
    await t.throwsAsync(ask(port, { ca, certificate: createAuthority(t).issue() }));
    await t.throwsAsync(ask(port, { ca, certificate: issue({ days: -1 }) }));
  });

  test(`${protocol}: with optional client certificates, the server rejects only invalid ones`, async (t) => {
    const { ca, issue } = createAuthority(t);
    const service = await serveTls(t, issue(), ["--tls-client-ca", ca, "--tls-client-auth", "optional"]);
    const port = service.ports[protocol];
    t.is(await ask(port, { ca, certificate: issue({ name: "client" }) }), "Hello, Bob!");
    t.is(await ask(port, { ca }), "Hello, Bob!");
    await t.throwsAsync(ask(port, { ca, certificate: createAuthority(t).issue() }));
    await t.throwsAsync(ask(port, { ca, certificate: issue({ days: -1 }) }));
    t.is(await ask(port, { ca }), "Hello, Bob!");
    const { body } = await send(service.admin, "/metrics");
    const failures = new RegExp(`^greeter_tls_handshake_failures_total\\{protocol="${protocol}"\\} (\\d+)$`, "m");
    // A gRPC client may repeat its handshake.
    t.true(Number(failures.exec(body)![1]) >= 2);
    service.kill("SIGTERM");
    t.like(await service.ended, { code: 0, err: "" });
  });

  test(`${protocol}: the server prefers TLS 1.3, accepts 1.2 and rejects 1.1`, async (t) => {
    const authority = createAuthority(t);
    const { ports } = await serveTls(t, authority.issue());
    const { ca } = contents(authority);
    const alpn = { http: "http/1.1", grpc: "h2" }[protocol];
    for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const) {
      const socket = await shakeHands(ports[protocol], { ca, maxVersion, ALPNProtocols: ["h2", "http/1.1"] });
      t.is(socket.getProtocol(), maxVersion);
      t.is(socket.alpnProtocol, alpn);
      socket.destroy();
    }
    const old = { ca, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await t.throwsAsync(shakeHands(ports[protocol], old), { message: /protocol version/ });
  });

  test(`${protocol}: the server closes and counts a handshake that times out`, async (t) => {
    const service = await serveTls(t, createAuthority(t).issue(), ["--handshake-timeout", "300ms"]);
    const port = service.ports[protocol];
    const silent = connectTcp(port, "127.0.0.1");
    silent.on("error", () => {});
    const start = performance.now();
    await new Promise((resolve) => silent.once("close", resolve));
    t.true(performance.now() - start >= 250);
    const { body } = await send(service.admin, "/metrics");
    t.true(body.includes(`greeter_tls_handshake_failures_total{protocol="${protocol}"} 1\n`));
  });

  test(`${protocol}: the drain does not wait for handshakes`, async (t) => {
    const service = await serveTls(t, createAuthority(t).issue(), [
      "--handshake-timeout",
      "1h",
      "--drain-timeout",
      "1h",
    ]);
    const silent = connectTcp(service.ports[protocol], "127.0.0.1");
    silent.on("error", () => {});
    await new Promise((resolve) => silent.once("connect", resolve));
    service.kill("SIGTERM");
    t.like(await service.ended, { code: 0, err: "" });
    t.like(service.lines.at(-1), { msg: "Stopped", cut: 0 });
  });
}

test("the gRPC port closes a connection without HTTP/2, which does not delay the drain", async (t) => {
  const authority = createAuthority(t);
  const service = await serveTls(t, authority.issue());
  const { ca } = contents(authority);
  const socket = connect({ host: "127.0.0.1", port: service.ports.grpc, servername: "localhost", ca });
  socket.on("error", () => {}).resume();
  await new Promise((resolve) => socket.once("close", resolve));
  service.kill("SIGTERM");
  t.like(await service.ended, { code: 0, err: "" });
});

test("TLS ports reject plaintext, and the admin port stays plaintext", async (t) => {
  const { ports, admin } = await serveTls(t, createAuthority(t).issue());
  for (const port of Object.values(ports)) await t.throwsAsync(send(`http://127.0.0.1:${port}`, "/"));
  t.is((await send(admin, "/readyz")).status, 200);
});

test("requests over TLS have the scheme https in metrics", async (t) => {
  const authority = createAuthority(t);
  const { ports, admin } = await serveTls(t, authority.issue());
  await asks.http(ports.http, { ca: authority.ca });
  const { body } = await send(admin, "/metrics");
  t.regex(body, /^http_server_request_duration_seconds_count\{.*url_scheme="https"\} 1$/m);
  t.notRegex(body, /url_scheme="http"/);
});

test("`greeter call` uses TLS, and sends a client certificate", async (t) => {
  const { ca, issue } = createAuthority(t);
  const { ports } = await serveTls(t, issue({ name: "greeter.example" }), ["--tls-client-ca", ca]);
  const { cert, key } = issue({ name: "client" });
  const target = ["--target", `127.0.0.1:${ports.grpc}`, "--tls", "--ca", ca, "--server-name", "greeter.example"];
  const call = promisify(execFile);
  const args = [...checkout, "call", "greet", "Bob", ...target];
  t.is((await call(process.execPath, [...args, "--cert", cert, "--key", key])).stdout, "Hello, Bob!\n");
  const rejected = await t.throwsAsync<Error & { code: number; stderr: string }>(call(process.execPath, args));
  t.is(rejected.code, 1);
  const nameless = args.filter((arg) => arg !== "--server-name" && arg !== "greeter.example");
  const misused = await t.throwsAsync<Error & { code: number; stderr: string }>(call(process.execPath, nameless));
  t.is(misused.code, 2);
  t.regex(misused.stderr, /^call: missing --server-name/);
  t.regex(rejected.stderr, /^call: 127\.0\.0\.1:\d+ is unavailable/);
});
