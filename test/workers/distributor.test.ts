import { once } from "node:events";
import { connect } from "node:net";
import test from "ava";
import { listen } from "../../src/address.ts";
import { createDistributor } from "../../src/workers/distributor.ts";

test("a connection that no worker was there to take is cut off, and counted", async (t) => {
  const distributor = createDistributor("http", 10);
  const { port } = await listen(distributor.listener, { host: "127.0.0.1", port: 0 });
  const accepted = once(distributor.listener, "connection");
  const socket = connect(port, "127.0.0.1");
  await accepted;
  await distributor.drain();
  t.is(await distributor.cut(), 1);
  t.deepEqual(await socket.toArray(), []);
});
