import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { TlsOptions } from "node:tls";
import { InvalidArgumentError, quote } from "../../greeter/greeter.ts";

export interface TlsFiles {
  /** The certificate with those that lead to its authority, in PEM. */
  cert: string;
  /** Its private key, in PEM. */
  key: string;
  /** The authorities of clients' certificates, in PEM; empty where clients need none. */
  clientCa: string;
  /** Whether a client may come without a certificate. What it gives must be right in either case. */
  clientAuth: "required" | "optional";
}

/** What is in the files. */
export type Material = Record<"cert" | "key" | "clientCa", string>;

/**
 * Reads the files.
 * @throws {InvalidArgumentError} one can't be read; names its flag and says why
 */
export async function read({ cert, key, clientCa }: TlsFiles): Promise<Material> {
  const contents = async (flag: string, path: string): Promise<string> =>
    readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
      throw new InvalidArgumentError(`Invalid ${flag} ${quote(path)}: cannot read it (${cause.code})`, { cause });
    });
  return {
    cert: await contents("--tls-cert", cert),
    key: await contents("--tls-key", key),
    clientCa: clientCa && (await contents("--tls-client-ca", clientCa)),
  };
}

export function same(a: Material, b: Material): boolean {
  return a.cert === b.cert && a.key === b.key && a.clientCa === b.clientCa;
}

/**
 * What servers are made with, and until when the certificate is valid.
 * @throws {InvalidArgumentError} the contents can't be used; names the flag and says what is expected
 */
export function check(files: TlsFiles, { cert, key, clientCa }: Material): { options: TlsOptions; notAfter: Date } {
  const certificate = expecting("a certificate in PEM", "--tls-cert", files.cert, () => new X509Certificate(cert));
  if (clientCa) {
    // Node takes anything for authorities, and then trusts nobody.
    expecting("certificates in PEM", "--tls-client-ca", files.clientCa, () => {
      const authorities = clientCa.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [""];
      return authorities.map((authority) => new X509Certificate(authority));
    });
  }
  const options: TlsOptions = {
    cert,
    key,
    minVersion: "TLSv1.2",
    ...(clientCa && { ca: clientCa, requestCert: true, rejectUnauthorized: files.clientAuth === "required" }),
  };
  expecting("the private key of --tls-cert in PEM, without a passphrase", "--tls-key", files.key, () =>
    createSecureContext(options),
  );
  return { options, notAfter: certificate.validToDate };
}

function expecting<Value>(what: string, flag: string, path: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    throw new InvalidArgumentError(`Invalid ${flag} ${quote(path)}: expected ${what}`, { cause });
  }
}
