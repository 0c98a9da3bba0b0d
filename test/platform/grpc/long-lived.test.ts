import test from "ava";
import { createEndlessStreams } from "../../../src/platform/grpc/long-lived.ts";

const reason = new Error("Closing");

test("ends the streams of a peer, and nobody else's", (t) => {
  const streams = createEndlessStreams(() => reason);
  const ended: [string, Error][] = [];
  streams.add("a:1", (error) => ended.push(["a", error]));
  streams.add("b:1", (error) => ended.push(["b", error]));
  streams.end("a:1");
  t.deepEqual(ended, [["a", reason]]);
});

test("ends a stream that comes while its connection closes", (t) => {
  const streams = createEndlessStreams(() => reason);
  streams.end("a:1");
  t.plan(1);
  streams.add("a:1", (error) => t.is(error, reason));
});

test("a peer that comes back on a port that was used before is a new one", (t) => {
  const streams = createEndlessStreams(() => reason);
  streams.end("a:1");
  streams.forget("a:1");
  streams.add("a:1", () => t.fail());
  t.pass();
});

test("a stream that has ended is not ended again", (t) => {
  const streams = createEndlessStreams(() => reason);
  const forget = streams.add("a:1", () => t.fail());
  streams.add("a:1", () => t.pass());
  forget();
  streams.end("a:1");
});
