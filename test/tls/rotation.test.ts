import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import test from "ava";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { send } from "../platform/http/request.ts";
import { asks, contents } from "./ask.ts";
import { createAuthority, temporaryFolder } from "./certificates.ts";
import { mountSecret, secret } from "./secret.ts";
import { serveTls } from "./serve.ts";

async function serialNumber(port: number, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket: TLSSocket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: readFileSync(ca) }, () =>
    resolve(socket.getPeerCertificate().serialNumber),
  );
  socket.on("error", reject);
  return await promise.finally(() => socket.destroy());
}

test("a certificate is renewed under load, and neither a request nor a connection is lost", async (t) => {
  const authority = createAuthority(t);
  const mount = mountSecret(t, secret(authority.issue()));
  const service = await serveTls(t, { cert: mount.path("tls.crt"), key: mount.path("tls.key") });
  const { http, grpc } = service.ports;
  const before = [await serialNumber(http, authority.ca), await serialNumber(grpc, authority.ca)];

  // On connections that are kept, and on new ones.
  const identity = { ca: authority.ca };
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...contents(identity), servername: "localhost" });
  let connections = 0;
  agent.on("free", (socket: TLSSocket & { counted?: boolean }) => {
    if (!socket.counted) connections++;
    socket.counted = true;
  });
  const kept = createGreeterClient({
    target: `127.0.0.1:${grpc}`,
    timeoutMs: 10_000,
    tls: { ...contents(identity), serverName: "localhost" },
  });
  t.teardown(() => {
    agent.destroy();
    kept.close();
  });
  const enough = new AbortController();
  const load = async (ask: () => Promise<string>): Promise<number> => {
    let asked = 0;
    while (!enough.signal.aborted) {
      t.is(await ask(), "Hello, Bob!");
      asked++;
    }
    return asked;
  };
  const getKept = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: http, path: "/Bob", agent, headers: { Accept: "text/plain" } };
      get(options, (response) => void text(response).then((body) => resolve(body.trimEnd()), reject)).on(
        "error",
        reject,
      );
    });
  const loads = [
    load(getKept),
    load(() => kept.greet("Bob")),
    load(() => asks.http(http, identity)),
    load(() => asks.grpc(grpc, identity)),
  ];
  mount.swap(secret(authority.issue()));
  await service.logged(({ msg }) => msg === "Certificate renewed");
  t.not(await serialNumber(http, authority.ca), before[0]);
  t.not(await serialNumber(grpc, authority.ca), before[1]);
  enough.abort();
  for (const asked of await Promise.all(loads)) t.true(asked > 0);
  // The limit of requests for a connection may have replaced it, but the renewal has not.
  t.true(connections <= 1 + Math.ceil((await loads[0]!) / 1000));
  t.regex((await send(service.admin, "/metrics")).body, /^greeter_tls_reloads_total\{result="success"\} 1$/m);
});

test("a pair that is broken is told of and counted, and the last good one stays in use until there is a better one", async (t) => {
  const authority = createAuthority(t);
  const good = authority.issue();
  const mount = mountSecret(t, secret(good));
  const service = await serveTls(t, { cert: mount.path("tls.crt"), key: mount.path("tls.key") });
  const before = await serialNumber(service.ports.http, authority.ca);

  mount.swap(secret({ cert: authority.issue().cert, key: good.key }));
  const line = await service.logged(({ level, msg }) => level === "warn" && msg.startsWith("Certificate not renewed"));
  t.regex(JSON.stringify(line), /expected the private key of --tls-cert/);
  t.is(await serialNumber(service.ports.http, authority.ca), before);
  t.is(await asks.grpc(service.ports.grpc, { ca: authority.ca }), "Hello, Bob!");
  t.regex((await send(service.admin, "/metrics")).body, /^greeter_tls_reloads_total\{result="failure"\} 1$/m);

  const second = authority.issue();
  mount.swap(secret(second));
  await service.logged(({ msg }) => msg === "Certificate renewed");
  t.not(await serialNumber(service.ports.http, authority.ca), before);

  mount.swap(secret({ cert: authority.issue().cert, key: second.key }));
  let failures = 0;
  await service.logged(({ msg }) => msg.startsWith("Certificate not renewed") && ++failures === 2);
  t.regex((await send(service.admin, "/metrics")).body, /^greeter_tls_reloads_total\{result="failure"\} 2$/m);

  // And one that can't be read is told of once, although it is looked at each second.
  rmSync(mount.path("tls.key"));
  await service.logged(({ msg, ...line }) => msg.startsWith("Certificate not") && /ENOENT/.test(JSON.stringify(line)));
  await sleep(2500);
  t.regex((await send(service.admin, "/metrics")).body, /^greeter_tls_reloads_total\{result="failure"\} 3$/m);
});

test("the metric tells how long the certificate is valid", async (t) => {
  const { admin } = await serveTls(t, createAuthority(t).issue({ days: 3 }));
  const [, seconds] = /^greeter_tls_certificate_expiry_seconds (\S+)$/m.exec((await send(admin, "/metrics")).body)!;
  t.true(Math.abs(Number(seconds) - 3 * 86_400) < 120, seconds);
});

test("files are looked at again when they could not be read", async (t) => {
  const authority = createAuthority(t);
  const folder = temporaryFolder(t);
  const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const first = authority.issue();
  copyFileSync(first.cert, cert);
  copyFileSync(first.key, key);
  const service = await serveTls(t, { cert, key });
  writeFileSync(cert, "");
  await service.logged(({ level }) => level === "warn");
  const second = authority.issue();
  // Not both at once, as who copies them by hand.
  copyFileSync(second.cert, cert);
  await sleep(100);
  copyFileSync(second.key, key);
  await service.logged(({ msg }) => msg === "Certificate renewed");
  t.is(await asks.http(service.ports.http, { ca: authority.ca }), "Hello, Bob!");
});
