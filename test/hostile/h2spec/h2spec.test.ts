import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { listening, serveProcess } from "../../process.ts";
import { createAuthority, temporaryFolder } from "../../tls/certificates.ts";

const nghttp2 = "https://github.com/nghttp2/nghttp2/blob/v1.70.0/lib/nghttp2_session.c";

/** What is not as h2spec wants it, and why that is right, or Node's. Node 26.10 has nghttp2 1.70. */
const known: Record<string, string> = {
  "generic/2: Sends a WINDOW_UPDATE frame on half-closed (remote) stream":
    "It waits for DATA, and a refused call has only headers",
  "generic/2: Sends a PRIORITY frame on half-closed (remote) stream":
    "It waits for DATA, and a refused call has only headers",
  // RFC 9113 only allows for an error where RFC 7540 demanded one (https://www.rfc-editor.org/rfc/rfc9113#section-5.1, "closed").
  "http2/5.1: closed: Sends a DATA frame after sending RST_STREAM frame": `Ignored by nghttp2, which forgets closed streams: ${nghttp2}#L5212`,
  "http2/5.1: closed: Sends a HEADERS frame after sending RST_STREAM frame": `Ignored by nghttp2, which forgets closed streams: ${nghttp2}#L3862`,
  "http2/5.1: closed: Sends a DATA frame": `Ignored by nghttp2, which forgets closed streams: ${nghttp2}#L5212`,
  "http2/5.1: closed: Sends a HEADERS frame": `Ignored by nghttp2, which forgets closed streams: ${nghttp2}#L3862`,
  "http2/5.1.1: Sends stream identifier that is numerically smaller than previous": `Ignored by nghttp2, which can't tell it from a closed stream: ${nghttp2}#L3862`,
  "http2/5.1.2: Sends HEADERS frames that causes their advertised concurrent stream limit to be exceeded":
    "Each call is refused, and so has ended, before the next one is read: there are never two at a time. test/grpc/limits.test.ts exceeds the limit",
  // RFC 9113 has no priorities any more (https://www.rfc-editor.org/rfc/rfc9113#section-5.3.2).
  "http2/5.3.1: Sends PRIORITY frame that depend on itself": `Counted, but not read by nghttp2: ${nghttp2}#L5710`,
  "http2/6.3: Sends a PRIORITY frame with 0x0 stream identifier": `Counted, but not read by nghttp2: ${nghttp2}#L5710`,
  "http2/6.7: Sends a PING frame with ACK":
    "Node closes the connection for an answer to no PING: HandlePingFrame in https://github.com/nodejs/node/blob/v26.10.0/src/node_http2.cc",
  // Either is right (https://www.rfc-editor.org/rfc/rfc9113#section-6.9.1).
  "http2/6.9.1: Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream": `nghttp2 closes the connection rather than the stream: ${nghttp2}#L4783`,
};

/** Runs h2spec, and tells which of its cases failed, and how many passed. */
async function h2spec(target: string, folder: string, flags: string[]): Promise<{ failed: string[]; passed: number }> {
  const { hostname, port } = new URL(`http://${target}`);
  const report = join(folder, "report.xml");
  const path = "/greeter.v1.GreeterService/Greet";
  const args = ["--host", hostname, "--port", port, "--path", path, "--strict", "--junit-report", report, ...flags];
  // It fails where a case does; what it found is in the report.
  await new Promise((resolve) => execFile(`${import.meta.dirname}/../.installed/h2spec`, args, resolve));
  const cases = [
    ...(await readFile(report, "utf8")).matchAll(
      /<testcase package="([^"]*)" classname="([^"]*)"[^>]*>([^]*?)<\/testcase>/g,
    ),
  ].map(([, section, title, result]) => ({ name: `${section}: ${title}`, result: result!.trim() }));
  return {
    failed: cases.filter(({ result }) => /<(error|failure)/.test(result)).map(({ name }) => name),
    passed: cases.filter(({ result }) => result === "").length,
  };
}

for (const [transport, tlsFlags, flags] of [
  ["plain text", () => [], []],
  [
    "TLS",
    (t: Parameters<typeof createAuthority>[0]) => {
      const { cert, key } = createAuthority(t).issue();
      return ["--tls-cert", cert, "--tls-key", key];
    },
    ["--tls", "--insecure"],
  ],
] as const) {
  test(`gRPC speaks HTTP/2 as h2spec wants it, but for what is known: ${transport}`, async (t) => {
    const service = serveProcess(t, [...tlsFlags(t)]);
    const { grpc } = await listening(service);
    const { failed, passed } = await h2spec(grpc, temporaryFolder(t), [...flags]);
    t.deepEqual(failed.toSorted(), Object.keys(known).toSorted());
    // Of 146; those that are skipped want an answer with DATA.
    t.is(passed, 130);
    service.kill("SIGTERM");
    t.like(await service.ended, { code: 0, err: "" });
  });
}
