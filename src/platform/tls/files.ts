import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext, type TlsOptions } from "node:tls";
import type { PlatformConfig } from "../config/settings.ts";
import { invalidArgument } from "../errors.ts";
import { quote } from "../text.ts";

/** Contents of the files. */
export type Material = Record<"cert" | "key" | "clientCa", string>;

/**
 * Reads the file of a flag.
 * @throws {ServiceError} INVALID_ARGUMENT: the file cannot be read
 */
export async function readPem(flag: string, path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw invalidArgument(`Invalid ${flag} ${quote(path)}: cannot read it (${cause.code})`, { cause });
  });
}

/** Reads the files of TLS. It throws as {@link readPem} does. */
export async function read({ tlsCert, tlsKey, tlsClientCa }: PlatformConfig): Promise<Material> {
  return {
    cert: await readPem("--tls-cert", tlsCert),
    key: await readPem("--tls-key", tlsKey),
    clientCa: tlsClientCa && (await readPem("--tls-client-ca", tlsClientCa)),
  };
}

/**
 * Validates the contents.
 * @returns options of a server, and the end of the certificate's validity
 * @throws {ServiceError} INVALID_ARGUMENT: names the flag of an invalid file, and says what is expected
 */
export function check(
  config: PlatformConfig,
  { cert, key, clientCa }: Material,
): { options: TlsOptions; notAfter: Date } {
  const certificate = expecting("a certificate in PEM", "--tls-cert", config.tlsCert, () => new X509Certificate(cert));
  if (clientCa) {
    // Node accepts any text as authorities, and then trusts none.
    expecting("certificates in PEM", "--tls-client-ca", config.tlsClientCa, () => {
      const authorities = clientCa.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [""];
      return authorities.map((authority) => new X509Certificate(authority));
    });
  }
  const options: TlsOptions = {
    cert,
    key,
    minVersion: "TLSv1.2",
    ...(clientCa && { ca: clientCa, requestCert: true, rejectUnauthorized: config.tlsClientAuth === "required" }),
  };
  expecting("the private key of --tls-cert in PEM, without a passphrase", "--tls-key", config.tlsKey, () =>
    createSecureContext(options),
  );
  return { options, notAfter: certificate.validToDate };
}

function expecting<Value>(what: string, flag: string, path: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    throw invalidArgument(`Invalid ${flag} ${quote(path)}: expected ${what}`, { cause });
  }
}
