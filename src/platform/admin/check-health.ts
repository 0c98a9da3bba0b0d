import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { formatAddress } from "../config/address.ts";
import type { Address } from "../config/address.ts";
import { InvalidArgumentError, printable, quote } from "../../greeter/greeter.ts";

/**
 * Asks the service on this machine whether it serves: for containers, whose image has no other program that could.
 * @param admin where its admin port listens
 * @param timeoutMs how long the answer may take, in milliseconds
 * @throws {InvalidArgumentError} the address has no port
 * @throws {Error} it does not serve, or can't be asked; the message says which
 */
export async function checkHealth({ host, port }: Address, timeoutMs: number): Promise<void> {
  const address = formatAddress({ host: loopbacks[host] ?? host, port });
  if (port === 0) throw new InvalidArgumentError(`Invalid admin address ${quote(address)}: expected the port in use`);
  const response = await ask(`http://${address}/readyz`, timeoutMs);
  const phase = (await text(response).catch(() => "")).trim();
  // Not by the status alone: on the port for callers, /readyz is a name.
  if (response.statusCode === 200 && phase === "serving") return;
  throw new Error(`Not serving: ${printable(phase.slice(0, 100)) || `status ${response.statusCode}`}`);
}

/** Where one asks what listens on every address. */
const loopbacks: Record<string, string> = { "": "localhost", "0.0.0.0": "127.0.0.1", "::": "::1" };

function ask(url: string, timeoutMs: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, resolve).on(
      "error",
      (cause: NodeJS.ErrnoException) => {
        const reason = cause.name === "AbortError" ? `no answer within ${timeoutMs} ms` : (cause.code ?? cause.message);
        reject(new Error(`Cannot ask ${url}: ${reason}`, { cause }));
      },
    );
  });
}
