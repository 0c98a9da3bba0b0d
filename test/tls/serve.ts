import type { ExecutionContext } from "ava";
import { listening, serveProcess } from "../process.ts";
import type { LoggingProcess } from "../process.ts";
import type { Certificate } from "./certificates.ts";

/** A service with TLS. */
export interface TlsService extends LoggingProcess {
  ports: Record<"http" | "grpc", number>;
  admin: string;
}

/** Starts `greeter serve` with a certificate. */
export async function serveTls(
  t: ExecutionContext,
  { cert, key }: Certificate,
  flags: string[] = [],
): Promise<TlsService> {
  const service = serveProcess(t, ["--tls-cert", cert, "--tls-key", key, ...flags]);
  const { http, grpc, admin } = await listening(service);
  const portOf = (url: string): number => Number(new URL(url).port);
  return { ...service, ports: { http: portOf(http), grpc: portOf(`http://${grpc}`) }, admin };
}
