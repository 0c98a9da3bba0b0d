import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAddress } from "../platform/config/address.ts";
import { readBuildInfo } from "../platform/build-info.ts";
import { InvalidArgumentError, quote } from "./greeter.ts";
import type { Greeter } from "./greeter.ts";
import { createGreeterClient } from "./client.ts";
import type { ClientTls } from "./client.ts";
import { traceContext } from "../platform/telemetry/trace-context.ts";
import { openTracing } from "../platform/telemetry/tracing.ts";

/** How long telling of the calls may hold up the command, in milliseconds. */
const PATIENCE = 1000;

/** Whether to speak TLS, and with what: the paths of the files that {@link ClientTls} has. */
export interface TlsFlags {
  tls?: boolean;
  ca?: string;
  cert?: string;
  key?: string;
  serverName?: string;
}

export interface ServerOptions extends TlsFlags {
  /** Where the server is: `host:port`, or another form that gRPC knows. */
  target: string;
  /** How long an answer may take, in milliseconds. */
  timeoutMs: number;
  env: NodeJS.ProcessEnv;
  /** Hears of what goes wrong beside the calls. */
  stderr: { write(text: string): unknown };
}

/**
 * A server to ask over gRPC, and what ends that.
 * @throws {InvalidArgumentError} a flag or a file of TLS, or a variable of OpenTelemetry's is wrong
 */
export async function connect({
  target,
  timeoutMs,
  env,
  stderr,
  ...flags
}: ServerOptions): Promise<{ greeter: Greeter; close: () => Promise<void> }> {
  const warn = (_: object, message: string): void => void stderr.write(`call: ${message}\n`);
  const tracing = await openTracing({ warn, debug: () => {} }, async () => (await readBuildInfo()).main.version);
  // A pipeline that is traced hands its trace on in these: https://opentelemetry.io/docs/specs/otel/context/env-carriers/
  const parent = traceContext(env["TRACEPARENT"], env["TRACESTATE"]);
  const tls = await readTls(target, flags);
  const client = createGreeterClient({ target, timeoutMs, tls, tracing, parent });
  return {
    greeter: client,
    close: async () => {
      client.close();
      await Promise.race([tracing?.close(), sleep(PATIENCE, undefined, { ref: false })]);
    },
  };
}

async function readTls(target: string, { tls, ca, cert, key, serverName }: TlsFlags): Promise<ClientTls | undefined> {
  const given = Object.entries({ "--ca": ca, "--cert": cert, "--key": key, "--server-name": serverName });
  const [flag] = given.find(([, value]) => value !== undefined) ?? [];
  if (!tls && flag !== undefined) throw new InvalidArgumentError(`Missing --tls: expected it with ${flag}`);
  // TLS has no word for an address in the name that a client asks for.
  if (tls && serverName === undefined && isIP(parseAddress(target.replace(/^.*\//, ""))?.host ?? "") > 0) {
    throw new InvalidArgumentError(`Missing --server-name: expected the name in the certificate of ${target}`);
  }
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? "--cert" : "--key";
    throw new InvalidArgumentError(`Missing ${missing}: expected a certificate and its key, or neither`);
  }
  const contents = async (name: string, path: string | undefined): Promise<Buffer | undefined> =>
    path === undefined
      ? undefined
      : readFile(path).catch((cause: NodeJS.ErrnoException) => {
          throw new InvalidArgumentError(`Invalid ${name} ${quote(path)}: cannot read it (${cause.code})`, { cause });
        });
  return tls
    ? {
        ca: await contents("--ca", ca),
        cert: await contents("--cert", cert),
        key: await contents("--key", key),
        serverName,
      }
    : undefined;
}
