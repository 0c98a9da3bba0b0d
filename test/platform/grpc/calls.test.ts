import { Metadata } from "@grpc/grpc-js";
import test from "ava";
import { CallRegistry, type ServerCall } from "../../../src/platform/grpc/calls.ts";

interface Registered {
  call: ServerCall;
  /** Metadata that the handler gets. */
  metadata: Metadata;
  unregister: () => void;
}

/** Registers a call, as the admission gate does. */
function register(registry: CallRegistry, headers: Record<string, string> = {}): Registered {
  const call = { headers } as unknown as ServerCall;
  let metadata = new Metadata();
  const unregister = registry.register(call, () => {
    // As grpc-js does with the headers.
    metadata = Metadata.fromHttp2Headers(headers);
  });
  return { call, metadata, unregister };
}

test("a handler finds its call, and no other call of the same time", (t) => {
  const registry = new CallRegistry();
  const calls = Array.from({ length: 10 }, () => register(registry));
  for (const { call, metadata } of calls) t.is(registry.callOf(metadata), call);
});

test("the headers of a call have no mark after it was passed on", (t) => {
  const headers = { "x-test": "yes" };
  register(new CallRegistry(), headers);
  t.deepEqual(headers, { "x-test": "yes" });
});

test("a call is not found after its stream was closed", (t) => {
  const registry = new CallRegistry();
  const { metadata, unregister } = register(registry);
  unregister();
  t.is(registry.callOf(metadata), undefined);
});

test("the mark of a closed call does not find a later call that uses the same slot", (t) => {
  const registry = new CallRegistry();
  const stale: Metadata[] = [];
  for (let round = 0; round < 100; round++) {
    const calls = [register(registry), register(registry), register(registry)];
    for (const { call, metadata } of calls) t.is(registry.callOf(metadata), call);
    for (const metadata of stale) t.is(registry.callOf(metadata), undefined);
    for (const { metadata, unregister } of calls) {
      stale.push(metadata);
      unregister();
    }
  }
});

test("a closed call frees its slot for a later call", (t) => {
  const registry = new CallRegistry();
  const slots = new Set<number>();
  for (let count = 0; count < 100; count++) {
    const { metadata, unregister } = register(registry);
    slots.add(Number.parseInt(String(metadata.get("x-call-number")[0]), 10));
    unregister();
  }
  t.deepEqual([...slots], [0]);
});

test("the mark of a caller is overwritten", (t) => {
  const registry = new CallRegistry();
  const first = register(registry);
  const [mark] = first.metadata.get("x-call-number") as [string];
  const forged = register(registry, { "x-call-number": mark });
  t.is(registry.callOf(forged.metadata), forged.call);
  t.is(registry.callOf(first.metadata), first.call);
});

test("metadata without a mark, or with an unknown one, has no call", (t) => {
  const registry = new CallRegistry();
  register(registry);
  t.is(registry.callOf(new Metadata()), undefined);
  for (const mark of ["", "0", "0 1", "0 0 0", "1 0", "-1 0", "length", "__proto__"]) {
    const metadata = new Metadata();
    metadata.set("x-call-number", mark);
    t.is(registry.callOf(metadata), undefined, mark);
  }
});
