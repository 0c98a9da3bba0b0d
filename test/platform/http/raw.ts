import { connect } from "node:net";
import { buffer } from "node:stream/consumers";
import * as fc from "fast-check";
import { character } from "../../arbitraries.ts";

/** A response to bytes that no client would send. */
export interface RawAnswer {
  status: number;
  type: string;
  location: string | undefined;
  body: string;
}

/** Sends bytes as the target of a GET, and reads the response as UTF-8, which must be well formed. */
export async function getRaw(port: number, target: Buffer, accept: string): Promise<RawAnswer> {
  const socket = connect(port, "127.0.0.1");
  const headers = `Host: x\r\nAccept: ${accept}\r\nConnection: close`;
  socket.write(Buffer.concat([Buffer.from("GET "), target, Buffer.from(` HTTP/1.1\r\n${headers}\r\n\r\n`)]));
  const answer = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await buffer(socket));
  const [, head = "", body = ""] = /^(.*?)\r\n\r\n(.*)$/s.exec(answer) ?? [];
  const header = (name: string): string | undefined => new RegExp(`\r\n${name}: (.*)`, "i").exec(head)?.[1];
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  return { status, type: header("Content-Type") ?? "", location: header("Location"), body };
}

/** Well encoded texts with a meaning in a path, a query or a page. */
const good = fc.constantFrom(
  ...Array.from("?#&=+;.<>/'\"`\\a"),
  ..."name= version <b> %2F %3Cb%3E %22 %26lt; %E2%80%AE %C3%A9".split(" "),
);

/** Texts that are not well encoded. */
const bad = fc.constantFrom(...Array.from(" \t\r\n\0\u007Fé"), ..."% %zz %00 %C3 %ED%A0%80 HTTP/1.1".split(" "));

const name = fc.string({ unit: character }).map((name) => name.toWellFormed());

/** Names as clients encode them, texts composed of parts, and any bytes. */
const path = fc.oneof(
  name.map((name) => Buffer.from(encodeURIComponent(name))),
  name.map((name) => Buffer.from(Buffer.from(name).toString("hex").replaceAll(/../g, "%$&"))),
  fc.array(good).map((parts) => Buffer.from(parts.join(""))),
  fc
    .array(fc.oneof({ arbitrary: good, weight: 5 }, { arbitrary: bad, weight: 1 }))
    .map((parts) => Buffer.from(parts.join(""))),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);

/**
 * Creates request targets.
 * @param starts beginnings of them
 */
export function targets(...starts: string[]): fc.Arbitrary<Buffer> {
  return fc.tuple(fc.constantFrom(...starts), path).map(([start, path]) => Buffer.concat([Buffer.from(start), path]));
}

/** Media types of the forms of a response. */
export const forms = fc.constantFrom("text/html", "application/json", "text/plain");
