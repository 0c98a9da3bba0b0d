import test from "ava";
import { networks } from "../../../src/platform/config/parsers.ts";
import { readForwarded } from "../../../src/platform/telemetry/forwarded.ts";
import type { Forwarded } from "../../../src/platform/telemetry/forwarded.ts";
import { fixture, listening, serveProcess } from "../../process.ts";
import { send } from "../http/request.ts";

/** Reads the headers of a peer. */
function read(trusted: string, peer: string, addresses: string | undefined, proto?: string): Forwarded {
  return readForwarded(networks(trusted, "--trust-proxy"))({
    headers: {
      ...(addresses !== undefined && { "x-forwarded-for": addresses }),
      ...(proto !== undefined && { "x-forwarded-proto": proto }),
    },
    socket: { remoteAddress: peer },
  });
}

const chains = [
  { title: "the address that a trusted proxy adds", for: "203.0.113.7", client: "203.0.113.7" },
  { title: "not the address that the client sends itself", for: "198.51.100.1, 203.0.113.7", client: "203.0.113.7" },
  { title: "the first address beyond several proxies", for: "203.0.113.7, 10.1.1.1,10.2.2.2", client: "203.0.113.7" },
  { title: "the farthest address if all are trusted", for: "10.3.3.3, 10.1.1.1", client: "10.3.3.3" },
  { title: "an address with a port", for: "203.0.113.7:4711", client: "203.0.113.7" },
  { title: "an IPv6 address", for: "2001:db8::7", client: "2001:db8::7" },
  { title: "an IPv6 address in brackets with a port", for: "[2001:db8::7]:4711", client: "2001:db8::7" },
  { title: "the peer of a proxy if the next entry is no address", for: 'unknown"\n, 10.1.1.1', client: "10.1.1.1" },
  { title: "undefined if no entry is an address", for: "a, ::g, 1.2.3, ", client: undefined },
  { title: "undefined if the header is empty", for: "", client: undefined },
  { title: "undefined if the header is missing", for: undefined, client: undefined },
];
for (const { title, for: addresses, client } of chains) {
  test(`the client is ${title}`, (t) => {
    t.is(read("10.0.0.0/8", "10.0.0.1", addresses).client, client);
  });
}

test("the headers of an untrusted peer are ignored", (t) => {
  t.deepEqual(read("10.0.0.0/8", "192.0.2.1", "203.0.113.7", "https"), {});
  t.deepEqual(read("", "10.0.0.1", "203.0.113.7", "https"), {});
});

test("trusted proxies are addresses and networks of both families", (t) => {
  const trusted = "192.0.2.1, 10.0.0.0/8,fd00::/8,2001:db8::1";
  for (const peer of ["192.0.2.1", "10.255.0.1", "::ffff:10.0.0.1", "fd12::9", "2001:db8::1"]) {
    t.is(read(trusted, peer, "203.0.113.7").client, "203.0.113.7", peer);
  }
  for (const peer of ["192.0.2.2", "11.0.0.1", "::ffff:11.0.0.1", "fe80::1", "2001:db8::2"]) {
    t.is(read(trusted, peer, "203.0.113.7").client, undefined, peer);
  }
});

test("the scheme is http or https, from the outermost proxy", (t) => {
  t.is(read("10.0.0.1", "10.0.0.1", undefined, "https").scheme, "https");
  t.is(read("10.0.0.1", "10.0.0.1", undefined, "http").scheme, "http");
  t.is(read("10.0.0.1", "10.0.0.1", undefined, "https, http").scheme, "https");
  for (const other of ["HTTPS", "gopher", '"', ""])
    t.is(read("10.0.0.1", "10.0.0.1", undefined, other).scheme, undefined);
});

const forwarded = { "X-Forwarded-For": "198.51.100.1, 203.0.113.7", "X-Forwarded-Proto": "https" };

test("behind a trusted proxy the log has the client's address, and the metrics have the client's scheme", async (t) => {
  const service = serveProcess(t, ["--trust-proxy", "127.0.0.0/8"], { program: fixture });
  const { http, admin } = await listening(service);
  await send(http, "/items/Bob", { headers: forwarded });
  const { client, peer } = await service.logged(({ msg }) => msg === "Request");
  t.is(client, "203.0.113.7");
  t.regex(String(peer), /^127\.0\.0\.1:/);
  const { body } = await send(admin, "/metrics");
  t.regex(
    body,
    /^http_server_request_duration_seconds_count\{.*http_route="\/items\/\{id\}".*url_scheme="https"\} 1$/m,
  );
});

test("by default no peer is trusted", async (t) => {
  const service = serveProcess(t, [], { program: fixture });
  const { http, admin } = await listening(service);
  await send(http, "/items/Bob", { headers: forwarded });
  t.false("client" in (await service.logged(({ msg }) => msg === "Request")));
  t.notRegex((await send(admin, "/metrics")).body, /url_scheme="https"/);
});
