import test from "ava";
import { readForwarded } from "../../../src/platform/telemetry/forwarded.ts";
import { networks } from "../../../src/platform/config/parsers.ts";
import { send } from "../http/request.ts";
import { listening, serveProcess } from "../../process.ts";

const told = (trusted: string, peer: string, addresses: string | undefined, proto?: string) =>
  readForwarded(networks(trusted, "--trust-proxy"))({
    headers: {
      ...(addresses !== undefined && { "x-forwarded-for": addresses }),
      ...(proto !== undefined && { "x-forwarded-proto": proto }),
    },
    socket: { remoteAddress: peer },
  });

const chains = [
  { title: "the address that a trusted proxy adds", for: "203.0.113.7", client: "203.0.113.7" },
  { title: "not what the client sent before it", for: "198.51.100.1, 203.0.113.7", client: "203.0.113.7" },
  { title: "the first beyond several proxies", for: "203.0.113.7, 10.1.1.1,10.2.2.2", client: "203.0.113.7" },
  { title: "the farthest where all are trusted", for: "10.3.3.3, 10.1.1.1", client: "10.3.3.3" },
  { title: "an address with a port", for: "203.0.113.7:4711", client: "203.0.113.7" },
  { title: "an address of IPv6", for: "2001:db8::7", client: "2001:db8::7" },
  { title: "one with brackets and a port", for: "[2001:db8::7]:4711", client: "2001:db8::7" },
  { title: "a proxy's own peer where what follows is no address", for: 'unknown"\n, 10.1.1.1', client: "10.1.1.1" },
  { title: "nobody where there is only nonsense", for: "a, ::g, 1.2.3, ", client: undefined },
  { title: "nobody where the header is empty", for: "", client: undefined },
  { title: "nobody where the header is missing", for: undefined, client: undefined },
];
for (const { title, for: addresses, client } of chains) {
  test(`the client is ${title}`, (t) => {
    t.is(told("10.0.0.0/8", "10.0.0.1", addresses).client, client);
  });
}

test("what a peer says that is not trusted is nothing", (t) => {
  t.deepEqual(told("10.0.0.0/8", "192.0.2.1", "203.0.113.7", "https"), {});
  t.deepEqual(told("", "10.0.0.1", "203.0.113.7", "https"), {});
});

test("proxies can be addresses and networks of both families", (t) => {
  const trusted = "192.0.2.1, 10.0.0.0/8,fd00::/8,2001:db8::1";
  for (const peer of ["192.0.2.1", "10.255.0.1", "::ffff:10.0.0.1", "fd12::9", "2001:db8::1"]) {
    t.is(told(trusted, peer, "203.0.113.7").client, "203.0.113.7", peer);
  }
  for (const peer of ["192.0.2.2", "11.0.0.1", "::ffff:11.0.0.1", "fe80::1", "2001:db8::2"]) {
    t.is(told(trusted, peer, "203.0.113.7").client, undefined, peer);
  }
});

test("the scheme is http or https, as the outermost proxy has it", (t) => {
  t.is(told("10.0.0.1", "10.0.0.1", undefined, "https").scheme, "https");
  t.is(told("10.0.0.1", "10.0.0.1", undefined, "http").scheme, "http");
  t.is(told("10.0.0.1", "10.0.0.1", undefined, "https, http").scheme, "https");
  for (const other of ["HTTPS", "gopher", '"', ""])
    t.is(told("10.0.0.1", "10.0.0.1", undefined, other).scheme, undefined);
});

const forwarded = { "X-Forwarded-For": "198.51.100.1, 203.0.113.7", "X-Forwarded-Proto": "https" };

test("behind a trusted proxy, the log has the client and the metrics its scheme", async (t) => {
  const greeter = serveProcess(t, ["--trust-proxy", "127.0.0.0/8"]);
  const { http, admin } = await listening(greeter);
  await send(http, "/Bob", { headers: forwarded });
  const { client, peer } = await greeter.logged(({ msg }) => msg === "Request");
  t.is(client, "203.0.113.7");
  t.regex(String(peer), /^127\.0\.0\.1:/);
  const { body } = await send(admin, "/metrics");
  t.regex(body, /^http_server_request_duration_seconds_count\{.*http_route="\/\{name\}".*url_scheme="https"\} 1$/m);
});

test("a stranger's word for where it is counts for nothing", async (t) => {
  const greeter = serveProcess(t);
  const { http, admin } = await listening(greeter);
  await send(http, "/Bob", { headers: forwarded });
  t.false("client" in (await greeter.logged(({ msg }) => msg === "Request")));
  t.notRegex((await send(admin, "/metrics")).body, /url_scheme="https"/);
});
