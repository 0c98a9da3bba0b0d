import { setTimeout as sleep } from "node:timers/promises";
import type { Attack } from "./attack.ts";
import { summary } from "./grpc-floods.ts";
import { connectPeer } from "./peer.ts";
import type { Peer } from "./peer.ts";

const head = (path = "/", more = ""): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`);
const quick = ["--http-headers-timeout", "1s", "--http-send-timeout", "1s"];

const statusOf = (peer: Peer): string => /^HTTP\/1\.1 (\d+)/.exec(peer.received())?.[1] ?? "nothing";

/** Creates an attack that sends `first`, and then the bytes of `more` repeatedly on one connection. */
function stream(name: string, first: Buffer, more: (count: number) => Buffer): Attack {
  return {
    name,
    protocol: "http",
    disconnected: true,
    run: async (port) => {
      const peer = connectPeer(port, { first });
      await peer.flood(more);
      return `${statusOf(peer)}, ${await peer.end()}`;
    },
  };
}

/** Creates an attack with 200 connections that each send a few bytes at a time. */
function drip(name: string, first: Buffer, more: Buffer): Attack {
  return {
    name,
    protocol: "http",
    flags: quick,
    disconnected: true,
    run: async (port) => {
      const peers = Array.from({ length: 200 }, () => connectPeer(port, { first }));
      for (let turn = 0; turn < 15; turn++) {
        await sleep(200);
        await Promise.all(peers.map((peer) => peer.send(more)));
      }
      const seen = await summary(peers.map((peer) => peer.end()));
      return `${seen}, each got ${[...new Set(peers.map(statusOf))].join(" or ")}`;
    },
  };
}

/** Attacks on HTTP/1.1. */
export const httpFloods: Attack[] = [
  drip(
    "slow headers, 200 connections (Slowloris)",
    Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n"),
    Buffer.from("X: y\r\n"),
  ),
  drip(
    "slow bodies, 200 connections (R.U.D.Y.)",
    Buffer.from("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"),
    Buffer.from("x"),
  ),
  stream("endless URL", Buffer.from("GET /"), () => Buffer.alloc(16_384, "a")),
  stream("endless headers", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n"), (n) =>
    Buffer.from(`X-${n}: ${"x".repeat(1000)}\r\n`),
  ),
  stream("endless body", Buffer.from("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), () =>
    Buffer.from(`4000\r\n${"x".repeat(0x4000)}\r\n`),
  ),
  stream(
    "endless chunk extensions",
    Buffer.from("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
    () => Buffer.from(`1;${"x".repeat(10_000)}\r\nx\r\n`),
  ),
  {
    name: "pipelined requests, responses unread",
    protocol: "http",
    flags: [...quick, "--http-max-requests-per-connection", "1000000"],
    disconnected: true,
    run: async (port) => {
      const peer = connectPeer(port, { reading: false });
      const count = await peer.flood(() => head("/version"));
      return `${await peer.end()}, ${count} sent`;
    },
  },
  {
    name: "connections beyond the limit",
    protocol: "http",
    flags: ["--max-connections", "100"],
    disconnected: true,
    run: async (port) => {
      const first = Array.from({ length: 99 }, () => connectPeer(port, { first: head() }));
      const seen = await summary(Array.from({ length: 500 }, () => connectPeer(port).end()));
      await Promise.all(first.map((peer) => peer.end()));
      return seen;
    },
  },
];
