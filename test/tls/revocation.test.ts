import { connect } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import test from "ava";
import { asks, contents } from "./ask.ts";
import type { Identity } from "./ask.ts";
import { createAuthority } from "./certificates.ts";
import { mountSecret } from "./secret.ts";
import { serveTls } from "./serve.ts";

for (const [protocol, ask] of Object.entries(asks) as [keyof typeof asks, (typeof asks)["http"]][]) {
  test(`${protocol}: a renewed client authority locks out certificates of the old one, even with a TLS session to resume`, async (t) => {
    const { ca, issue } = createAuthority(t);
    const [old, next] = [createAuthority(t), createAuthority(t)];
    const mount = mountSecret(t, { "ca.crt": old.ca });
    const service = await serveTls(t, issue(), ["--tls-client-ca", mount.path("ca.crt")]);
    const port = service.ports[protocol];
    const certificate = old.issue();
    t.is(await ask(port, { ca, certificate }), "Hello, Bob!");

    const session = await sessionOf(port, { ca, certificate });
    t.like(await resume(port, { ca, certificate }, session), { reused: true, accepted: true });

    mount.swap({ "ca.crt": next.ca });
    await service.logged(({ msg }) => msg === "Certificate renewed");
    await t.throwsAsync(ask(port, { ca, certificate }));
    t.is(await ask(port, { ca, certificate: next.issue() }), "Hello, Bob!");
    t.like(await resume(port, { ca, certificate }, session), { reused: false, accepted: false });
  });
}

/** Returns a TLS session, which a client can resume without sending its certificate again. */
async function sessionOf(port: number, identity: Identity): Promise<Buffer> {
  const socket = connect({ ...contents(identity), ...endpoint(port) });
  const session = await new Promise<Buffer>((resolve) => socket.once("session", resolve));
  socket.destroy();
  return session;
}

/** Resumes a TLS session, and reports whether the server reused it and whether it accepted the client. */
async function resume(
  port: number,
  identity: Identity,
  session: Buffer,
): Promise<{ reused: boolean; accepted: boolean }> {
  const socket = connect({ ...contents(identity), ...endpoint(port), session });
  const closed = new Promise<boolean>((resolve) => socket.on("error", () => {}).once("close", () => resolve(false)));
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  const reused = socket.isSessionReused();
  // A server that accepts the client sends something: its HTTP/2 settings, or a response.
  socket.write("GET /Bob HTTP/1.0\r\n\r\n");
  const answered = new Promise<boolean>((resolve) => socket.once("data", () => resolve(true)));
  const accepted = await Promise.race([closed, answered]);
  socket.destroy();
  return { reused, accepted };
}

function endpoint(port: number): ConnectionOptions {
  return { port, host: "127.0.0.1", servername: "localhost", ALPNProtocols: ["h2", "http/1.1"] };
}
