import assert from "node:assert/strict";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import test from "ava";
import * as fc from "fast-check";
import { send } from "./request.ts";
import { serveHttp } from "./serve.ts";

/** Any code point, halves of surrogate pairs too; what fast-check calls "binary" takes a second to be made. */
const character = fc.oneof(fc.nat(0xff), fc.nat(0xffff), fc.nat(0x10ffff)).map((code) => String.fromCodePoint(code));

/** What means something in a path, a query or a page, and is well encoded; and what is not. */
const good = fc.constantFrom(
  ...Array.from("?#&=+;.<>/'\"`\\a"),
  ..."name= version <b> %2F %3Cb%3E %22 %26lt; %E2%80%AE %C3%A9".split(" "),
);
const bad = fc.constantFrom(...Array.from(" \t\r\n\0\u007Fé"), ..."% %zz %00 %C3 %ED%A0%80 HTTP/1.1".split(" "));

const name = fc.string({ unit: character }).map((name) => name.toWellFormed());

/** Names as clients would encode them, what is put together of parts, and any bytes at all. */
const path = fc.oneof(
  name.map((name) => Buffer.from(encodeURIComponent(name))),
  name.map((name) => Buffer.from(Buffer.from(name).toString("hex").replaceAll(/../g, "%$&"))),
  fc.array(good).map((parts) => Buffer.from(parts.join(""))),
  fc
    .array(fc.oneof({ arbitrary: good, weight: 5 }, { arbitrary: bad, weight: 1 }))
    .map((parts) => Buffer.from(parts.join(""))),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);
const target = fc
  .tuple(fc.constantFrom("/", "/", "/?name=", "/?name=", "//", "http://x/", "http://", "*", ""), path)
  .map(([start, path]) => Buffer.concat([Buffer.from(start), path]));

interface RawAnswer {
  status: number;
  type: string;
  location: string | undefined;
  body: string;
}

/** Sends bytes as a request's target, as no client would, and reads the answer as UTF-8, which has to be well-formed. */
async function get(port: number, target: Buffer, accept: string): Promise<RawAnswer> {
  const socket = connect(port, "127.0.0.1");
  const headers = `Host: x\r\nAccept: ${accept}\r\nConnection: close`;
  socket.write(Buffer.concat([Buffer.from("GET "), target, Buffer.from(` HTTP/1.1\r\n${headers}\r\n\r\n`)]));
  const answer = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await buffer(socket));
  const [, head = "", body = ""] = /^(.*?)\r\n\r\n(.*)$/s.exec(answer) ?? [];
  const header = (name: string): string | undefined => new RegExp(`\r\n${name}: (.*)`, "i").exec(head)?.[1];
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  return { status, type: header("Content-Type") ?? "", location: header("Location"), body };
}

/** What is markup in a page: tags, and references of characters that are none of the escaper's. */
function markup(html: string): string {
  return (html.match(/<[^>]*>?|&(?!(?:amp|lt|gt|quot|#x27|#x60);)/g) ?? []).join("\n");
}

/** What a text is like that nobody has put a line into: one line, and that of the request id; or the version's. */
const plainText = /^(?:\P{Cc}+\n(?:Request id: [\w-]{36}\n)?|runtime\tnode [^]+)$/u;

test("whatever is asked for, the answer is a greeting, the version, a redirect to a greeting, or a bad request", async (t) => {
  const { port, origin, reported } = await serveHttp(t);
  const pages = await Promise.all(["/Bob", "/version", "/%zz"].map((path) => send(origin, path)));
  const known = new Set(pages.map(({ body }) => markup(body)));

  const forms = fc.constantFrom("text/html", "application/json", "text/plain");
  const property = fc.asyncProperty(target, forms, async (target, accept) => {
    const { status, type, location, body } = await get(port, target, accept);
    assert.ok(status === 200 || status === 303 || status === 400);
    assert.equal(location !== undefined, status === 303);
    if (location !== undefined) {
      assert.match(location, /^\/(?!\/)[\w.~!*'()%/-]*$/);
      assert.match(body, /^Redirecting to \/[^\s<>"]*\.$/);
      assert.equal((await send(origin, location)).status, 200);
    } else if (type.startsWith("text/html")) assert.ok(known.has(markup(body)));
    else if (type.startsWith("text/plain")) assert.match(body, plainText);
    else assert.doesNotThrow(() => JSON.parse(body) as unknown);
  });
  await t.notThrowsAsync(fc.assert(property, { numRuns: 300 }));
  t.deepEqual(reported, []);
});
