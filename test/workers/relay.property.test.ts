import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import test from "ava";
import { array, assert as assertProperty, asyncProperty, infiniteStream, integer, string, tuple } from "fast-check";
import { relayLines } from "../../src/workers/relay.ts";

test("however the lines of several workers are cut on their way, each comes out whole", async (t) => {
  const lines = array(string({ unit: "binary" }).map((text) => text.replaceAll("\n", "")));
  const sources = array(tuple(lines, infiniteStream(integer({ min: 1, max: 12 }))), { maxLength: 3 });
  const property = asyncProperty(sources, async (sources) => {
    const written: string[] = [];
    const streams = sources.map(([lines, sizes]) => {
      let rest = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const chunks: Buffer[] = [];
      for (const size of sizes) {
        if (rest.length === 0) break;
        chunks.push(rest.subarray(0, size));
        rest = rest.subarray(size);
      }
      const stream = Readable.from(chunks, { objectMode: false });
      relayLines(stream, { write: (text) => written.push(text) });
      return finished(stream);
    });
    await Promise.all(streams);
    for (const text of written) assert.ok(text.endsWith("\n"));
    const out = written.join("").split("\n").slice(0, -1);
    const wellFormed = sources.flatMap(([lines]) => lines.map((line) => Buffer.from(line).toString()));
    assert.deepEqual(out.toSorted(), wellFormed.toSorted());
  });
  await t.notThrowsAsync(() => assertProperty(property, { numRuns: 200 }));
});

test("a line that its worker did not get to end is one of its own", async (t) => {
  const written: string[] = [];
  const stream = Readable.from([Buffer.from("whole\nha"), Buffer.from("lf")], { objectMode: false });
  relayLines(stream, { write: (text) => written.push(text) });
  await finished(stream);
  t.deepEqual(written, ["whole\n", "half\n"]);
});
