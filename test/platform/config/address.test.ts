import { createServer } from "node:net";
import test from "ava";
import { formatAddress, parseAddress } from "../../../src/platform/config/address.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";

const addresses = [
  { text: "0.0.0.0:8080", address: { host: "0.0.0.0", port: 8080 } },
  { text: "localhost:0", address: { host: "localhost", port: 0 } },
  { text: ":8080", address: { host: "", port: 8080 } },
  { text: "[::]:8080", address: { host: "::", port: 8080 } },
  { text: "[::ffff:127.0.0.1]:65535", address: { host: "::ffff:127.0.0.1", port: 65_535 } },
];
for (const { text, address } of addresses) {
  test(`reads and writes ${text}`, (t) => {
    t.deepEqual(parseAddress(text), address);
    t.is(formatAddress(address), text);
  });
}

for (const text of [
  "",
  "8080",
  "localhost",
  "localhost:",
  "localhost:65536",
  "localhost:80x",
  "::1:80",
  "[::1]",
  "a b:1",
  "http://a:1",
  "[x]:1",
  "[....]:0",
  "[127.0.0.1]:0",
]) {
  test(`finds no address in "${text}"`, (t) => {
    t.is(parseAddress(text), undefined);
  });
}

test("listens on a free port, and tells which", async (t) => {
  const server = createServer();
  t.teardown(() => server.close());
  const { host, port } = await listen(server, { host: "127.0.0.1", port: 0 });
  t.is(host, "127.0.0.1");
  t.true(port > 0);
});

test("says which address is in use", async (t) => {
  const first = createServer();
  t.teardown(() => first.close());
  const address = await listen(first, { host: "127.0.0.1", port: 0 });
  await t.throwsAsync(listen(createServer(), address), {
    message: `Cannot listen on 127.0.0.1:${address.port}: it is in use`,
  });
});

/** Node shares ports on Linux, FreeBSD and a few others, but not on macOS and Windows. */
const testSharing = process.platform === "linux" ? test : test.skip;

testSharing("listens on a port that another server listens on, if both set reusePort", async (t) => {
  const servers = [createServer(), createServer()] as const;
  t.teardown(() => servers.forEach((server) => server.close()));
  const address = await listen(servers[0], { host: "127.0.0.1", port: 0 }, { reusePort: true });
  t.deepEqual(await listen(servers[1], address, { reusePort: true }), address);
});

test("says that the system cannot share a port", async (t) => {
  const server = createServer();
  const error = Object.assign(new Error("listen ENOTSUP"), { code: "ENOTSUP" });
  // As Node does on macOS.
  server.listen = () => {
    server.emit("error", error);
    return server;
  };
  await t.throwsAsync(listen(server, { host: "127.0.0.1", port: 8080 }, { reusePort: true }), {
    message: "Cannot listen on 127.0.0.1:8080: this system cannot share a port between processes (--reuse-port)",
  });
});

test("says which host is unknown", async (t) => {
  await t.throwsAsync(listen(createServer(), { host: "nowhere.invalid", port: 0 }), {
    message: /^Cannot listen on nowhere\.invalid:0: /,
  });
});
