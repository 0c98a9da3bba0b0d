import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { formatAddress, type Address } from "../config/address.ts";
import { invalidArgument } from "../errors.ts";
import { printable, quote } from "../text.ts";

/**
 * Checks the readiness of the service on this machine, for container images without another HTTP client.
 * @throws {ServiceError} INVALID_ARGUMENT: the address has no port
 * @throws {Error} the service is not ready, or does not answer
 */
export async function checkHealth({ host, port }: Address, timeoutMs: number): Promise<void> {
  const address = formatAddress({ host: loopbacks[host] ?? host, port });
  if (port === 0) throw invalidArgument(`Invalid admin address ${quote(address)}: expected the port in use`);
  const response = await ask(`http://${address}/readyz`, timeoutMs);
  const phase = (await text(response).catch(() => "")).trim();
  // The status alone proves nothing: the HTTP port may have a route that matches /readyz.
  if (response.statusCode === 200 && phase === "serving") return;
  throw new Error(`Not serving: ${printable(phase.slice(0, 100)) || `status ${response.statusCode}`}`);
}

/** Loopback address of each unspecified address. */
const loopbacks: Record<string, string> = { "": "localhost", "0.0.0.0": "127.0.0.1", "::": "::1" };

function ask(url: string, timeoutMs: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, resolve);
    request.on("error", (cause: NodeJS.ErrnoException) => {
      const reason = cause.name === "AbortError" ? `no answer within ${timeoutMs} ms` : (cause.code ?? cause.message);
      reject(new Error(`Cannot ask ${url}: ${reason}`, { cause }));
    });
  });
}
