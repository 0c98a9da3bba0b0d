import { once } from "node:events";
import { get } from "node:https";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import test, { type ExecutionContext } from "ava";
import { createContext, type Peer, type RequestContext } from "../../src/platform/context.ts";
import { createGrpcClient } from "../../src/platform/grpc/client.ts";
import { requestContext } from "../../src/platform/http/request-observer.ts";
import { openTls, type Tls } from "../../src/platform/tls/tls.ts";
import { testConfig } from "../fixtures/config.ts";
import { ItemService } from "../fixtures/gen/fixture/v1/item_pb.ts";
import { itemServices, serveGrpc } from "../platform/grpc/serve.ts";
import { serveHttp } from "../platform/http/serve.ts";
import { collectTelemetry } from "../platform/telemetry/collect.ts";
import { contents } from "./ask.ts";
import { createAuthority, type Authority } from "./certificates.ts";

/** Opens TLS with optional client certificates. */
async function openOptionalTls({ ca, issue }: Authority): Promise<Tls> {
  const { cert: tlsCert, key: tlsKey } = issue();
  const { telemetry } = await collectTelemetry();
  const config = testConfig({ tlsCert, tlsKey, tlsClientCa: ca, tlsClientAuth: "optional" });
  return (await openTls(config, telemetry.tls))!;
}

/** Checks the facts about a client without a certificate, and about one with a certificate. */
function checkPeers(t: ExecutionContext, [anonymous, verified]: [Peer, Peer], protocol: string): void {
  for (const { address, port, tls } of [anonymous, verified]) {
    t.is(address, "127.0.0.1");
    t.true(port > 0);
    t.like(tls, { version: "TLSv1.3", protocol, serverName: "localhost" });
    t.regex(tls!.cipher, /^TLS_/);
  }
  t.is(anonymous.tls!.certificate, undefined);
  t.is(verified.tls!.certificate!.subject, "CN=client");
}

test("the context of a gRPC call has the facts of its TLS connection", async (t) => {
  const authority = createAuthority(t);
  const { ca, issue } = authority;
  const peers: Peer[] = [];
  const get = async (_: unknown, { peer }: RequestContext): Promise<string> => {
    peers.push(peer);
    return "Item";
  };
  const { target } = await serveGrpc(t, { tls: await openOptionalTls(authority), services: itemServices({ get }) });
  for (const certificate of [undefined, issue({ name: "client" })]) {
    const tls = { ...contents({ ca, certificate }), serverName: "localhost" };
    const { call, close } = createGrpcClient(ItemService, { target, tls });
    t.teardown(close);
    await call(ItemService.method.getItem, {}, createContext({ deadline: Date.now() + 10_000 }));
  }
  checkPeers(t, peers as [Peer, Peer], "h2");
});

test("the context of an HTTP request has the facts of its TLS connection", async (t) => {
  const authority = createAuthority(t);
  const { ca, issue } = authority;
  const peers: Peer[] = [];
  const { port } = await serveHttp(t, {
    tls: await openOptionalTls(authority),
    middleware: [
      (context) => {
        peers.push(requestContext(context).peer);
        context.body = "Item";
      },
    ],
  });
  for (const certificate of [undefined, issue({ name: "client" })]) {
    const options = {
      host: "127.0.0.1",
      port,
      servername: "localhost",
      agent: false,
      ALPNProtocols: ["http/1.1"],
      ...contents({ ca, certificate }),
    };
    const request = get(options).on("response", (response) => response.resume());
    await once(request, "close");
  }
  checkPeers(t, peers as [Peer, Peer], "http/1.1");
});

test("the context has its peer also after the connection is closed", async (t) => {
  const authority = createAuthority(t);
  const started = Promise.withResolvers<RequestContext>();
  const get = (_: unknown, context: RequestContext): Promise<string> => {
    started.resolve(context);
    return new Promise(() => {});
  };
  const services = itemServices({ get });
  const { server, target } = await serveGrpc(t, { tls: await openOptionalTls(authority), services });
  const connected = once(server.listener, "secureConnection") as Promise<[TLSSocket]>;
  const tls = { ...contents(authority), serverName: "localhost" };
  const { call, close } = createGrpcClient(ItemService, { target, tls });
  const caller = createContext({ deadline: Date.now() + 10_000 });
  const left = t.throwsAsync(call(ItemService.method.getItem, {}, caller));
  const context = await started.promise;
  const [socket] = await connected;
  const closed = new Promise((resolve) => socket.once("close", resolve));
  caller.abort();
  close();
  await Promise.all([left, closed]);
  t.notThrows(() => context.peer);
});

test("the context has no certificate of a client that is not verified", async (t) => {
  const { ca, issue } = createAuthority(t);
  const options = { ...contents({ ca, certificate: issue() }), requestCert: true, rejectUnauthorized: false };
  const server = createServer(options).listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const connected = once(server, "secureConnection") as Promise<[TLSSocket]>;
  const stranger = { ca, certificate: createAuthority(t).issue({ name: "client" }) };
  const client = connect({ port, host: "127.0.0.1", servername: "localhost", ...contents(stranger) });
  t.teardown(() => client.destroy());
  const [socket] = await connected;
  t.is(socket.getPeerX509Certificate()?.subject, "CN=client");
  t.is(createContext({ socket }).peer.tls?.certificate, undefined);
});
