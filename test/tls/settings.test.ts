import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { serveProcess } from "../process.ts";
import { createAuthority, temporaryFolder } from "./certificates.ts";

const cases: [string, (paths: Record<string, string>) => string[], RegExp][] = [
  [
    "a missing file",
    ({ key }) => ["--tls-cert", "/none", "--tls-key", key!],
    /--tls-cert "\/none": cannot read it \(ENOENT\)/,
  ],
  [
    "an invalid certificate",
    ({ garbage, key }) => ["--tls-cert", garbage!, "--tls-key", key!],
    /--tls-cert ".*": expected a certificate in PEM/,
  ],
  [
    "the key of another certificate",
    ({ cert, otherKey }) => ["--tls-cert", cert!, "--tls-key", otherKey!],
    /--tls-key ".*": expected the private key of --tls-cert/,
  ],
  [
    "an invalid client authority",
    ({ cert, key, garbage }) => ["--tls-cert", cert!, "--tls-key", key!, "--tls-client-ca", garbage!],
    /--tls-client-ca ".*": expected certificates in PEM/,
  ],
  ["a certificate without a key", ({ cert }) => ["--tls-cert", cert!], /missing --tls-key: expected/],
  ["a key without a certificate", ({ key }) => ["--tls-key", key!], /missing --tls-cert: expected/],
  ["a client authority without a certificate", ({ ca }) => ["--tls-client-ca", ca!], /missing --tls-cert: expected/],
];
for (const [what, flags, message] of cases) {
  test(`${what} ends \`serve\` with exit code 2 before it listens`, async (t) => {
    const authority = createAuthority(t);
    const garbage = join(temporaryFolder(t), "garbage");
    writeFileSync(garbage, "no PEM");
    const { cert, key } = authority.issue();
    const service = serveProcess(t, flags({ cert, key, garbage, ca: authority.ca, otherKey: authority.issue().key }));
    const { code, err } = await service.ended;
    t.is(code, 2);
    t.regex(err, message);
    t.is(err.trimEnd().split("\n").length, 1);
    t.deepEqual(service.lines, []);
  });
}
