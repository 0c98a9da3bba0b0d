import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { readBuildInfo } from "../build-info.ts";
import { parseAddress } from "../config/address.ts";
import { duration, target as parseTarget } from "../config/parsers.ts";
import { createContext, type RequestContext } from "../context.ts";
import { invalidArgument } from "../errors.ts";
import type { ClientOptions, ClientTls } from "../grpc/client.ts";
import { traceContext } from "../telemetry/trace-context.ts";
import { openTracing } from "../telemetry/tracing.ts";
import { readPem } from "../tls/files.ts";
import type { CommandIo } from "./program.ts";
import { asUsageError, usage } from "./usage.ts";

/** Maximum time that the export of the last spans delays the end of the command, in milliseconds. */
const EXPORT_TIMEOUT_MS = 1000;

interface ClientFlags extends Partial<Record<"ca" | "cert" | "key" | "serverName", string>> {
  target: string;
  timeout: string;
  tls?: boolean;
}

/** Adds the options of a gRPC client to a command. Its subcommands get them too. */
export function addClientOptions(command: Command): Command {
  return command
    .option("--target <host:port>", "gRPC server", "localhost:50051")
    .option("--timeout <duration>", "deadline of the call", "5s")
    .option("--tls", "use TLS")
    .option("--ca <file>", "with --tls: certificate authorities in PEM to trust, instead of Node's")
    .option("--cert <file>", "with --tls: client certificate in PEM")
    .option("--key <file>", "with --tls: private key of --cert in PEM")
    .option("--server-name <name>", "with --tls: name in the server's certificate, if it is not the target's");
}

/**
 * Calls a server as the options of {@link addClientOptions} say.
 * @param call gets the options of a client, and the context of the call with its deadline and its trace
 * @throws {UsageError} an option, a file or a variable of OpenTelemetry is invalid
 */
export async function withClientOptions(
  command: Command,
  { env, stderr }: CommandIo,
  call: (options: ClientOptions, context: RequestContext) => Promise<void>,
): Promise<void> {
  const flags = command.optsWithGlobals<ClientFlags>();
  const { timeout, target } = flags;
  const timeoutMs = usage(() => duration(timeout, "--timeout"));
  usage(() => parseTarget(target, "--target"));
  const tls = await readTls(flags).catch(asUsageError);
  const warn = (_: object, message: string): void => void stderr.write(`call: ${message}\n`);
  const readVersion = async (): Promise<string> => (await readBuildInfo()).main.version;
  const tracing = await openTracing({ warn, debug: () => {} }, readVersion).catch(asUsageError);
  // A traced pipeline passes its trace on in these: https://opentelemetry.io/docs/specs/otel/context/env-carriers/
  const parent = traceContext(env["TRACEPARENT"], env["TRACESTATE"]);
  const context = createContext({
    deadline: Date.now() + timeoutMs,
    record: { traceparent: parent?.traceparent },
    ...(parent?.tracestate !== undefined && { metadata: { tracestate: parent.tracestate } }),
  });
  try {
    await call({ target, tls, tracing }, context);
  } finally {
    await Promise.race([tracing?.close(), sleep(EXPORT_TIMEOUT_MS, undefined, { ref: false })]);
  }
}

async function readTls({ target, tls, ca, cert, key, serverName }: ClientFlags): Promise<ClientTls | undefined> {
  const given = Object.entries({ "--ca": ca, "--cert": cert, "--key": key, "--server-name": serverName });
  const [flag] = given.find(([, value]) => value !== undefined) ?? [];
  if (!tls && flag !== undefined) throw invalidArgument(`Missing --tls: expected it with ${flag}`);
  // SNI has no form for an IP address (https://www.rfc-editor.org/rfc/rfc6066#section-3).
  if (tls && serverName === undefined && isIP(parseAddress(target.replace(/^.*\//, ""))?.host ?? "") > 0) {
    throw invalidArgument(`Missing --server-name: expected the name in the certificate of ${target}`);
  }
  const missing = cert === undefined ? "--cert" : "--key";
  if ((cert === undefined) !== (key === undefined)) {
    throw invalidArgument(`Missing ${missing}: expected a certificate and its key, or neither`);
  }
  if (!tls) return undefined;
  const pem = async (flag: string, path: string | undefined): Promise<Buffer | undefined> =>
    path === undefined ? undefined : Buffer.from(await readPem(flag, path));
  return { ca: await pem("--ca", ca), cert: await pem("--cert", cert), key: await pem("--key", key), serverName };
}
