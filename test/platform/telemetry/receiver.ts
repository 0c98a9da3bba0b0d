import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { createFileRegistry, fromBinary, toJson } from "@bufbuild/protobuf";
import type { DescMessage } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { ExecutionContext } from "ava";
import { formatAddress } from "../../../src/platform/config/address.ts";
import { listen } from "../../../src/platform/lifecycle/listen.ts";

/** A span as OTLP has it (https://opentelemetry.io/docs/specs/otlp/), with ids in hex and attributes by name. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: string;
  status?: { code?: string };
  traceState?: string;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
}

/** Collector of traces. */
export interface TraceReceiver {
  /** Variables that make a process export its spans here. */
  env: { OTEL_EXPORTER_OTLP_ENDPOINT: string };
  spans: ReceivedSpan[];
  /** Resolves with the first span, past or future, that satisfies the condition. */
  received: (condition: (span: ReceivedSpan) => boolean) => Promise<ReceivedSpan>;
}

const contract = readContract();

/**
 * Serves OTLP over HTTP on a port of its own. It decodes the spans by the protocol's own proto files.
 * @param respond responds to a request; by default with success
 */
export async function receiveTraces(
  t: ExecutionContext,
  respond = (response: ServerResponse): unknown => response.end(),
): Promise<TraceReceiver> {
  const requestType = await contract;
  const spans: ReceivedSpan[] = [];
  const listeners = new Set<() => void>();
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    if (request.url === "/v1/traces") spans.push(...decode(requestType, body));
    for (const listener of listeners) listener();
    respond(response.setHeader("Content-Type", "application/x-protobuf"));
  };
  const server = createServer((request, response) => void receive(request, response));
  const address = await listen(server, { host: "127.0.0.1", port: 0 });
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${formatAddress(address)}` },
    spans,
    received: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = spans.find(condition);
          if (found) resolve(found);
        };
        look();
        listeners.add(look);
      }),
  };
}

async function readContract(): Promise<DescMessage> {
  const { stdout } = await promisify(execFile)("buf", ["build", join(import.meta.dirname, "otlp"), "--output", "-"], {
    encoding: "buffer",
  });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, stdout));
  return registry.getMessage("opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest")!;
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

interface ExportRequest {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: (Omit<ReceivedSpan, "attributes"> & { attributes?: Attribute[] })[] }[];
  }[];
}

function decode(requestType: DescMessage, body: Buffer): ReceivedSpan[] {
  const { resourceSpans } = toJson(requestType, fromBinary(requestType, body)) as unknown as ExportRequest;
  const hex = (base64: string): string => Buffer.from(base64, "base64").toString("hex");
  const named = (attributes: Attribute[]): Record<string, unknown> =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        ...(span.parentSpanId !== undefined && { parentSpanId: hex(span.parentSpanId) }),
        attributes: named(span.attributes ?? []),
        resource: named(resource.attributes),
      })),
    ),
  );
}
