import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import type { ExecutionContext } from "ava";
import { GetItemRequestSchema } from "../../fixtures/gen/fixture/v1/item_pb.ts";

/** Paths of methods. */
export const GET_ITEM = "/fixture.v1.ItemService/GetItem";
export const JOIN_ITEMS = "/fixture.v1.ItemService/JoinItems";
export const CHECK = "/grpc.health.v1.Health/Check";
export const WATCH = "/grpc.health.v1.Health/Watch";

/** Encodes the request of GetItem. */
export function itemRequest(id: string): Buffer {
  return Buffer.from(toBinary(GetItemRequestSchema, create(GetItemRequestSchema, { id })));
}

export interface CallOptions {
  path?: string;
  message?: Buffer;
  /** In milliseconds since the Unix epoch. */
  deadline?: number;
  headers?: Record<string, string>;
  /** Cancels the call. */
  signal?: AbortSignal;
}

/** End of a call. */
export interface CallEnd {
  code: status;
  details: string;
  /** Headers and trailers of the response. */
  metadata: Metadata;
}

/**
 * Calls a unary method with bytes as the message, on a connection of its own and without retries.
 * @returns how the call ended, whatever its status
 */
export function call(
  t: ExecutionContext,
  target: string,
  { path = GET_ITEM, message = Buffer.alloc(0), deadline = Infinity, headers = {}, signal }: CallOptions = {},
): Promise<CallEnd> {
  const client = new Client(target, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  t.teardown(() => client.close());
  const request = new Metadata();
  for (const [name, value] of Object.entries(headers)) request.set(name, value);
  return new Promise((resolve) => {
    const metadata = new Metadata();
    let error: ServiceError | null = null;
    const identity = (bytes: Buffer): Buffer => bytes;
    const started = client.makeUnaryRequest(path, identity, identity, message, request, { deadline }, (failure) => {
      error = failure;
    });
    started.on("metadata", (headersOfResponse) => metadata.merge(headersOfResponse));
    // It comes after the callback and after the headers.
    started.on("status", (trailers) => {
      metadata.merge(trailers.metadata);
      resolve({ code: error?.code ?? status.OK, details: error?.details ?? "", metadata });
    });
    signal?.addEventListener("abort", () => started.cancel());
  });
}
