import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { checkout, listening, serveProcess } from "../process.ts";
import { createAuthority } from "../tls/certificates.ts";

const h2spec = join(import.meta.dirname, ".installed/h2spec");

const isGrpc =
  "The case requests a page and expects DATA. A request without gRPC's content type gets only headers, with status 415 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests)";
const isClosed =
  "nghttp2 ignores frames on a closed stream, which RFC 9113 allows for a stream without state (https://www.rfc-editor.org/rfc/rfc9113#section-5.1)";
const isDeprecated =
  "nghttp2 ignores priorities, which RFC 9113 deprecates (https://www.rfc-editor.org/rfc/rfc9113#section-5.3.2)";

/** Cases of h2spec, which tests RFC 7540, that Node and nghttp2 fail, each with the reason why that is correct or harmless. */
const known: Record<string, string> = {
  "generic/2 Sends a WINDOW_UPDATE frame on half-closed (remote) stream": isGrpc,
  "generic/2 Sends a PRIORITY frame on half-closed (remote) stream": isGrpc,
  "http2/5.1 closed: Sends a DATA frame after sending RST_STREAM frame": isClosed,
  "http2/5.1 closed: Sends a HEADERS frame after sending RST_STREAM frame": isClosed,
  "http2/5.1 closed: Sends a DATA frame": isClosed,
  "http2/5.1 closed: Sends a HEADERS frame": isClosed,
  "http2/5.1.1 Sends stream identifier that is numerically smaller than previous":
    "nghttp2 treats the stream as closed and ignores it. The response is that of the stream before",
  "http2/5.3.1 Sends PRIORITY frame that depend on itself": isDeprecated,
  "http2/6.3 Sends a PRIORITY frame with 0x0 stream identifier": isDeprecated,
  "http2/6.7 Sends a PING frame with ACK":
    "Node closes the connection on a PING response without a PING, which is stricter than required",
  "http2/6.9.1 Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream":
    "nghttp2 closes the connection and not only the stream, which is stricter than required",
};

// Delays calls, so that a stream is still open when h2spec sends its next frame.
const program = ["--import", join(import.meta.dirname, "late.ts"), ...checkout];

for (const transport of ["plaintext", "TLS"] as const) {
  test(`h2spec over ${transport} fails exactly the known cases`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "greeter-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const { cert, key } = createAuthority(t).issue();
    const tls =
      transport === "TLS" ? { server: ["--tls-cert", cert, "--tls-key", key], client: ["-t", "-k"] } : undefined;
    const { grpc } = await listening(serveProcess(t, [...(tls?.server ?? []), "--access-log", "off"], { program }));
    const [host = "", port = ""] = grpc.split(":");
    const report = join(folder, "report.xml");
    const where = ["-h", host, "-p", port, "-P", "/greeter.v1.GreeterService/Greet", ...(tls?.client ?? [])];
    // Exit code 1 means failed cases, which are expected.
    await promisify(execFile)(h2spec, [...where, "-o", "2", "-j", report]).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 1) throw error;
    });
    const xml = readFileSync(report, "utf8");
    const cases = [...xml.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>([^]*?)<\/testcase>/g)];
    t.true(cases.length > 140);
    const failed = cases.filter(([, , , outcome]) => /<(failure|error)/.test(outcome!));
    const names = failed.map(([, section, title]) => `${section} ${title!.replaceAll("&#34;", '"')}`);
    t.deepEqual(names.toSorted(), Object.keys(known).toSorted());
  });
}
