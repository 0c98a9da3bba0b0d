import { Code as ConnectCode, ConnectError } from "@connectrpc/connect";
import { Client, credentials, status, type ServiceError as GrpcError } from "@grpc/grpc-js";
import test from "ava";
import { ServiceError, type Code } from "../../../src/platform/errors.ts";
import { ItemService } from "../../fixtures/gen/fixture/v1/item_pb.ts";
import type { LogLine } from "../../process.ts";
import { call, CHECK, GET_ITEM, itemRequest } from "./call.ts";
import { connectClient, itemServices, serveGrpc } from "./serve.ts";

const codes: Record<Code, status> = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

/** Codes of failures inside the service. */
const internal = new Set(["UNKNOWN", "INTERNAL", "DATA_LOSS"]);

function isFailure({ msg }: LogLine): boolean {
  return msg === "Request failed";
}

for (const [code, number] of Object.entries(codes)) {
  test(`a handler that throws ${code} ends its call with the status ${number} and its message`, async (t) => {
    const { target, lines, logged } = await serveGrpc(t);
    const { details, metadata, ...end } = await call(t, target, { message: itemRequest(`fail ${code}`) });
    t.is(end.code, number);
    t.is(details, "As asked");
    t.deepEqual(metadata.get("grpc-retry-pushback-ms"), []);
    await logged(({ msg }) => msg === "Call");
    t.is(lines.filter(isFailure).length, internal.has(code) ? 1 : 0);
  });
}

test("the time to retry after is in the metadata", async (t) => {
  const get = async (): Promise<never> => {
    throw new ServiceError("UNAVAILABLE", "Busy", { retryAfterMs: 250 });
  };
  const { target } = await serveGrpc(t, { services: itemServices({ get }) });
  const { code, metadata } = await call(t, target);
  t.is(code, status.UNAVAILABLE);
  t.deepEqual(metadata.get("grpc-retry-pushback-ms"), ["250"]);
});

for (const retryAfterMs of [NaN, Infinity]) {
  test(`a time to retry after of ${retryAfterMs} is not sent`, async (t) => {
    const get = async (): Promise<never> => {
      throw new ServiceError("UNAVAILABLE", "Busy", { retryAfterMs });
    };
    const { target } = await serveGrpc(t, { services: itemServices({ get }) });
    const { code, metadata } = await call(t, target);
    t.is(code, status.UNAVAILABLE);
    t.deepEqual(metadata.get("grpc-retry-pushback-ms"), []);
  });
}

test("an ordinary error is INTERNAL without its text, which is logged with the request id", async (t) => {
  const { target, lines, logged } = await serveGrpc(t);
  const headers = { "x-request-id": "crashed" };
  const { code, details, metadata } = await call(t, target, { message: itemRequest("crash"), headers });
  t.is(code, status.INTERNAL);
  t.is(details, "Internal error");
  t.notRegex(JSON.stringify(metadata), /Crashed/);
  const line = await logged(isFailure);
  t.like(line, { level: "error", request: GET_ITEM.slice(1), request_id: "crashed" });
  t.like(line["err"], { type: "Error", message: "Crashed as asked" });
  t.regex((line["err"] as { stack: string }).stack, /items\.ts/);
  await logged(({ msg }) => msg === "Call");
  t.is(lines.filter(isFailure).length, 1);
});

test("the cause of an internal error is logged, and not sent", async (t) => {
  const get = async (): Promise<never> => {
    throw new ServiceError("DATA_LOSS", "The item is gone", { cause: new Error("Disk 7 failed") });
  };
  const { target, logged } = await serveGrpc(t, { services: itemServices({ get }) });
  const { code, details, metadata } = await call(t, target);
  t.is(code, status.DATA_LOSS);
  t.is(details, "The item is gone");
  t.notRegex(JSON.stringify(metadata), /Disk/);
  const { err } = await logged(isFailure);
  t.regex((err as { stack: string }).stack, /Disk 7 failed/);
});

for (const [title, message, expected] of [
  ["characters beyond ASCII", "Größe 🐙", "Größe 🐙"],
  ["a percent sign", "100% %41", "100% %41"],
  ["line breaks and NUL", "a\r\nb\0c", "a\r\nb\0c"],
  ["an unpaired surrogate", "a\uD800b", "a\uFFFDb"],
  ["no characters", "", ""],
] as const) {
  test(`a message with ${title} arrives`, async (t) => {
    const get = async (): Promise<never> => {
      throw new ServiceError("ABORTED", message);
    };
    const { target } = await serveGrpc(t, { services: itemServices({ get }) });
    const { code, details } = await call(t, target);
    t.is(code, status.ABORTED);
    t.is(details, expected);
    t.is((await call(t, target, { path: CHECK })).code, status.OK);
  });
}

test("a call whose deadline passes is DEADLINE_EXCEEDED", async (t) => {
  const { target } = await serveGrpc(t);
  const client = connectClient(t, ItemService, target);
  const error = await t.throwsAsync(client.getItem({ id: "hang" }, { timeoutMs: 50 }), { instanceOf: ConnectError });
  t.is(error.code, ConnectCode.DeadlineExceeded);
});

const malformed = {
  "bytes that are no message": [0xff, 0xff, 0xff],
  "a field that ends early": [0x0a, 0x05, 0x41],
  "a field of the wrong wire type": [0x0d, 0x01],
  "an overlong encoding": [0x0a, 0x02, 0xc0, 0xaf],
  "an unpaired surrogate": [0x0a, 0x03, 0xed, 0xa0, 0x80],
  "a character that ends early": [0x0a, 0x01, 0xe2],
};
for (const [title, bytes] of Object.entries(malformed)) {
  test(`a request with ${title} is INVALID_ARGUMENT with a reason, and the connection stays open`, async (t) => {
    const { target, lines, logged, server } = await serveGrpc(t);
    let connections = 0;
    server.listener.on("connection", () => connections++);
    const client = new Client(target, credentials.createInsecure());
    t.teardown(() => client.close());
    const send = (request: Buffer): Promise<GrpcError | null> =>
      new Promise((resolve) => {
        const asIs = (buffer: Buffer): Buffer => buffer;
        client.makeUnaryRequest(GET_ITEM, asIs, asIs, request, resolve);
      });
    const error = await send(Buffer.from(bytes));
    t.is(error?.code, status.INVALID_ARGUMENT);
    t.regex(error?.details ?? "", /^Malformed fixture\.v1\.GetItemRequest: ./);
    t.is(await send(itemRequest("1")), null);
    t.is(connections, 1);
    await logged(({ msg, ...line }) => msg === "Call" && line["status"] === "OK");
    t.is(lines.find(isFailure), undefined);
  });
}

test("unknown fields are ignored, as a server of an older proto must", async (t) => {
  const { target } = await serveGrpc(t);
  t.is((await call(t, target, { message: Buffer.from([0x98, 0x06, 0x01]) })).code, status.OK);
});

for (const path of ["/fixture.v1.ItemService/Unknown", "/fixture.v2.ItemService/GetItem", "/"]) {
  test(`the unknown method ${path} is UNIMPLEMENTED`, async (t) => {
    const { target } = await serveGrpc(t);
    t.is((await call(t, target, { path })).code, status.UNIMPLEMENTED);
  });
}

test("an error text that is longer than headers may be is cut", async (t) => {
  const get = async (): Promise<never> => Promise.reject(new ServiceError("NOT_FOUND", "🐙".repeat(100_000)));
  const { target } = await serveGrpc(t, { services: itemServices({ get }) });
  const { code, details } = await call(t, target);
  t.is(code, status.NOT_FOUND);
  t.is(details, "🐙".repeat(512));
});
