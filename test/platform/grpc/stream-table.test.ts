import { once } from "node:events";
import { connect, createServer } from "node:http2";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import test from "ava";
import * as fc from "fast-check";
import { StreamTable, tableStreams } from "../../../src/platform/grpc/stream-table.ts";

test("a table has what a Map would have", (t) => {
  const step = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 8 }));
  const property = fc.property(fc.array(step), (steps) => {
    const table = new StreamTable<string>();
    const map = new Map<number, string>();
    for (const [adds, id] of steps) {
      if (!adds) t.is(table.delete(id), map.delete(id));
      else if (!map.has(id)) {
        table.set(id, `stream ${id}`);
        map.set(id, `stream ${id}`);
      }
      t.is(table.size, map.size);
      for (let other = 0; other <= 8; other++) t.is(table.get(other || 9), map.get(other || 9));
      t.deepEqual(table.values().toSorted(), [...map.values()].toSorted());
    }
  });
  t.notThrows(() => fc.assert(property));
});

test("Node keeps the streams of a session in it", async (t) => {
  const server = createServer();
  t.teardown(() => server.close());
  const tables: unknown[] = [];
  server.on("session", (session: ServerHttp2Session) => {
    tableStreams(session);
    const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === "state")!;
    tables.push((Reflect.get(session, symbol) as { streams: unknown }).streams);
  });
  const opened = once(server, "stream") as Promise<[ServerHttp2Stream]>;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const request = client.request();
  request.resume();
  const [stream] = await opened;
  const [table] = tables as [StreamTable<ServerHttp2Stream>];
  t.true(table instanceof StreamTable);
  t.deepEqual(table.values(), [stream]);
  stream.respond({}, { endStream: true });
  await Promise.all([once(stream, "close"), once(request, "close")]);
  t.is(table.size, 0);
  client.close();
});
