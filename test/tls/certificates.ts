import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";

/** Paths of a certificate and of its private key, in PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

/** A certificate authority. */
export interface Authority {
  /** Path of its own certificate. */
  ca: string;
  /**
   * Issues a certificate.
   * @param options.name name of the subject
   * @param options.days validity in days; -1 for an expired certificate
   */
  issue: (options?: { name?: string; days?: number }) => Certificate;
}

/** Creates a folder, and removes it after the test. */
export function temporaryFolder(t: Pick<ExecutionContext, "teardown">): string {
  const folder = mkdtempSync(join(tmpdir(), "greeter-tls-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

let count = 0;

/** Creates a certificate authority with openssl. */
export function createAuthority(t: Pick<ExecutionContext, "teardown">): Authority {
  const folder = temporaryFolder(t);
  const openssl = (...args: string[]): unknown => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const subject = `/CN=Authority ${++count}`;
  openssl("req", "-x509", ...newKey, "-subj", subject, "-keyout", "ca.key", "-out", "ca.pem");

  return {
    ca: join(folder, "ca.pem"),
    issue: ({ name = "localhost", days = 1 } = {}) => {
      const file = `${++count}`;
      writeFileSync(join(folder, "names"), `subjectAltName=DNS:${name}\n`);
      openssl("req", ...newKey, "-subj", `/CN=${name}`, "-keyout", `${file}.key`, "-out", `${file}.csr`);
      const signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
      openssl("x509", "-req", "-in", `${file}.csr`, ...signer, "-days", String(days), "-out", `${file}.pem`);
      return { cert: join(folder, `${file}.pem`), key: join(folder, `${file}.key`) };
    },
  };
}
