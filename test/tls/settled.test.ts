import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { identity } from "../../src/platform/identity.ts";
import { send } from "../platform/http/request.ts";
import { asks } from "./ask.ts";
import { createAuthority, temporaryFolder } from "./certificates.ts";
import type { Authority, Certificate } from "./certificates.ts";
import { serveTls } from "./serve.ts";

/** Contents of the two files. */
type Contents = Record<"cert" | "key", string>;

const contentsOf = ({ cert, key }: Certificate): Contents => ({
  cert: readFileSync(cert, "utf8"),
  key: readFileSync(key, "utf8"),
});

/** Contents that a reading finds while a writer is at work, by the contents before and after. */
const unfinished: Record<string, (before: Contents, after: Contents, authority: Authority) => Contents> = {
  "the new certificate with the old key": ({ key }, { cert }) => ({ cert, key }),
  "the new key with the old certificate": ({ cert }, { key }) => ({ cert, key }),
  "a part of a certificate": (_, { cert, key }) => ({ cert: cert.slice(0, 100), key }),
  "the first certificate of a chain": (_, { cert, key }, { ca }) => ({
    cert: cert.replace(readFileSync(ca, "utf8"), ""),
    key,
  }),
};
for (const [title, between] of Object.entries(unfinished)) {
  test(`${title} is ignored in a single reading`, async (t) => {
    const authority = createAuthority(t);
    // Pipes give the test control over each reading: the service waits for their contents.
    const folder = temporaryFolder(t);
    const files = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key") };
    execFileSync("mkfifo", Object.values(files));
    const read = async ({ cert, key }: Contents): Promise<void> => {
      await writeFile(files.cert, cert);
      await writeFile(files.key, key);
    };

    const before = contentsOf(authority.issue());
    const { cert, key } = contentsOf(authority.issue());
    const after = { cert: cert + readFileSync(authority.ca, "utf8"), key };
    const [service] = await Promise.all([serveTls(t, files), read(before)]);
    // The last two readings find nothing new.
    const readings = [between(before, after, authority), after, after, after, after];
    for (const contents of readings) await read(contents);
    await service.logged(({ msg }) => msg === "Certificate renewed");
    const { body } = await send(service.admin, "/metrics");
    for (const [result, count] of Object.entries({ success: 1, failure: 0 })) {
      t.true(body.includes(`${identity.metricPrefix}tls_reloads_total{result="${result}"} ${count}\n`), result);
    }
    t.is(await asks.http(service.ports.http, { ca: authority.ca }), "Hello, Bob!");
  });
}
