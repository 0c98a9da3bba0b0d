import { createServer } from "node:net";
import test from "ava";
import { listen } from "../../../src/platform/lifecycle/listen.ts";

test("listen returns the free port that it got", async (t) => {
  const server = createServer();
  t.teardown(() => server.close());
  const { host, port } = await listen(server, { host: "127.0.0.1", port: 0 });
  t.is(host, "127.0.0.1");
  t.true(port > 0);
});

test("listen names an address in use, and the flag of the address", async (t) => {
  const first = createServer();
  t.teardown(() => first.close());
  const address = await listen(first, { host: "127.0.0.1", port: 0 });
  const message = `Cannot listen on 127.0.0.1:${address.port}: address already in use`;
  await t.throwsAsync(listen(createServer(), address), { message });
  await t.throwsAsync(listen(createServer(), address, { flag: "--addr" }), { message: `${message} (--addr)` });
});

test("listen names an unknown host", async (t) => {
  await t.throwsAsync(listen(createServer(), { host: "nowhere.invalid", port: 0 }), {
    message: /^Cannot listen on nowhere\.invalid:0: /,
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
  await t.throwsAsync(listen(server, { host: "127.0.0.1", port: 8080 }, { reusePort: true, flag: "--addr" }), {
    message: "Cannot listen on 127.0.0.1:8080: this system cannot share a port between processes (--reuse-port)",
  });
});
