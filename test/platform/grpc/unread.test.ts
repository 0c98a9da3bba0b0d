import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { frameClient, frameType } from "./frames.ts";
import { serveGrpc } from "./serve.ts";

// By itself, for it keeps the event loop busy for longer than others have patience.
test("a peer that reads again only after it was sent away does no harm", async (t) => {
  const { server, target } = await serveGrpc(t, { maxConcurrentStreams: 100_000 });
  const client = frameClient(target);
  t.teardown(() => client.destroy());
  while (client.frames.length === 0) await client.next();
  // All the room for answers that there can be (https://www.rfc-editor.org/rfc/rfc9113#section-6.9).
  client.send({ type: frameType.settings, flags: 0, stream: 0, payload: Buffer.from("00047fffffff", "hex") });
  client.send({ type: frameType.windowUpdate, flags: 0, stream: 0, payload: Buffer.from("7fff0000", "hex") });
  client.pause();
  // More than the system holds for it.
  for (let count = 0; count < 20_000; count++) client.call("/greeter.v1.GreeterService/Version", Buffer.alloc(0));
  await sleep(500);
  const drained = server.drain();
  await sleep(100);
  client.resume();
  await drained;
  await client.closed;
  t.is(await server.cut(), 0);
});
