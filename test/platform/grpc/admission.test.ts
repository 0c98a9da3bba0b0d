import type { ServerHttp2Stream } from "node:http2";
import { setImmediate } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { Metadata, status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { ServiceError } from "../../../src/platform/errors.ts";
import { createAdmissionGate } from "../../../src/platform/grpc/admission-gate.ts";
import { CallRegistry } from "../../../src/platform/grpc/calls.ts";
import type { Connection } from "../../../src/platform/grpc/connection.ts";
import { createAdmission } from "../../../src/platform/lifecycle/admission.ts";
import { testConfig } from "../../fixtures/config.ts";
import { JoinItemsRequestSchema } from "../../fixtures/gen/fixture/v1/item_pb.ts";
import { createItems } from "../../fixtures/items.ts";
import { collectTelemetry } from "../telemetry/collect.ts";
import { call, GET_ITEM, itemRequest, JOIN_ITEMS, type CallOptions } from "./call.ts";
import { frameClient, frameType } from "./frames.ts";
import { itemServices, serveGrpc } from "./serve.ts";

const failures: [string, CallOptions, status][] = [
  ["a unary call whose handler rejects", { message: itemRequest("fail NOT_FOUND") }, status.NOT_FOUND],
  ["a unary call whose handler throws an ordinary error", { message: itemRequest("crash") }, status.INTERNAL],
  ["a unary call with a malformed request", { message: Buffer.from([0xff]) }, status.INVALID_ARGUMENT],
  ["a client-streaming call whose handler rejects", { path: JOIN_ITEMS }, status.ABORTED],
];
for (const [title, failing, code] of failures) {
  test(`${title} releases its slot`, async (t) => {
    const joinItems = async (): Promise<never> => {
      throw new ServiceError("ABORTED", "As asked");
    };
    const { target } = await serveGrpc(t, { maxInFlight: 1, services: itemServices({}, { joinItems }) });
    t.is((await call(t, target, failing)).code, code);
    t.is((await call(t, target)).code, status.OK);
  });
}

test("a client-streaming call holds a slot while its handler runs, and releases it when it ends", async (t) => {
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<{ ids: string }>();
  const joinItems = (): Promise<{ ids: string }> => {
    started.resolve();
    return finish.promise;
  };
  const { target } = await serveGrpc(t, { maxInFlight: 1, services: itemServices({}, { joinItems }) });
  const message = Buffer.from(toBinary(JoinItemsRequestSchema, create(JoinItemsRequestSchema, { id: "1" })));
  const joined = call(t, target, { path: JOIN_ITEMS, message });
  await started.promise;
  t.is((await call(t, target)).code, status.UNAVAILABLE);
  finish.resolve({ ids: "1" });
  t.is((await joined).code, status.OK);
  t.is((await call(t, target)).code, status.OK);
});

/** Calls a handler that ignores the signal for 3 s, and calls again as soon as the slot is free. */
async function callDeaf(t: ExecutionContext, options: () => CallOptions, code: status): Promise<void> {
  const items = createItems();
  const started = Promise.withResolvers<void>();
  const ended: (string | undefined)[] = [];
  const services = itemServices({
    get: (id, context) => {
      if (id === "deaf") started.resolve();
      return items.get(id, context).finally(() => ended.push(id));
    },
  });
  const admission = createAdmission(1);
  const { target } = await serveGrpc(t, { admission, services });
  const left = call(t, target, { message: itemRequest("deaf"), ...options() });
  await started.promise;
  t.true(admission.full);
  t.is((await left).code, code);
  while (admission.full) await setImmediate();
  t.is((await call(t, target, { message: itemRequest("next") })).code, status.OK);
  t.deepEqual(ended, ["next"]);
}

test("a dependency that hangs frees its slot when the deadline of its caller passes", async (t) => {
  await callDeaf(t, () => ({ deadline: Date.now() + 200 }), status.DEADLINE_EXCEEDED);
});

test("a dependency that hangs frees its slot when its caller cancels the call", async (t) => {
  await callDeaf(t, () => ({ signal: AbortSignal.timeout(200) }), status.CANCELLED);
});

test("a handler that ends after its caller has left does not release the slot of another call", async (t) => {
  const handlers: PromiseWithResolvers<string>[] = [];
  const get = (): Promise<string> => {
    const handler = Promise.withResolvers<string>();
    handlers.push(handler);
    return handler.promise;
  };
  const admission = createAdmission(1);
  const { target } = await serveGrpc(t, { admission, services: itemServices({ get }) });
  const caller = new AbortController();
  const left = call(t, target, { signal: caller.signal });
  while (handlers.length < 1) await setImmediate();
  caller.abort();
  await left;
  while (admission.full) await setImmediate();
  const second = call(t, target);
  while (handlers.length < 2) await setImmediate();
  handlers[0]!.resolve("Item");
  t.is((await call(t, target)).code, status.UNAVAILABLE);
  handlers[1]!.resolve("Item");
  t.is((await second).code, status.OK);
  t.false(admission.full);
});

test("a call whose response waits for the client to read holds no slot", async (t) => {
  const admission = createAdmission(1);
  const finish = Promise.withResolvers<string>();
  const { target } = await serveGrpc(t, { admission, services: itemServices({ get: () => finish.promise }) });
  const client = frameClient(target);
  t.teardown(() => client.destroy());
  // A flow-control window of 0 (https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2).
  client.send({ type: frameType.settings, flags: 0, stream: 0, payload: Buffer.from("000400000000", "hex") });
  const stream = client.call(GET_ITEM, Buffer.alloc(0));
  while (!admission.full) await setImmediate();
  finish.resolve("Item");
  while (!client.frames.some((frame) => frame.stream === stream)) await client.next();
  t.is((await call(t, target)).code, status.OK);
  t.false(client.isAnswered(stream));
});

test("the gate unregisters a call when its stream is closed", async (t) => {
  const { telemetry } = await collectTelemetry();
  const registry = new CallRegistry();
  let metadata = new Metadata();
  const platform = { admission: createAdmission(1), config: testConfig(), telemetry };
  const gate = createAdmissionGate(platform, registry, (_, headers) => {
    metadata = Metadata.fromHttp2Headers(headers);
  });
  const headers = { ":path": GET_ITEM };
  const onClose = gate({} as ServerHttp2Stream, headers, { socket: {} } as Connection);
  t.is(registry.callOf(metadata)?.headers, headers);
  onClose();
  t.is(registry.callOf(metadata), undefined);
});
