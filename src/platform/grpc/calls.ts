import type { IncomingHttpHeaders } from "node:http2";
import type { Metadata } from "@grpc/grpc-js";
import type { RequestRecord } from "../telemetry/request.ts";
import type { Connection } from "./connection.ts";

/** A call as HTTP/2 has it. grpc-js passes only the metadata on to a handler. */
export interface ServerCall {
  record: RequestRecord;
  headers: IncomingHttpHeaders;
  connection: Connection;
}

/** Metadata key of the mark of a call. A caller's own value is overwritten. */
const KEY = "x-call-number";

/** The calls of a server in flight, so that a handler finds its call. */
export class CallRegistry {
  // Slots that are used again, and not a Map, for the reason of StreamTable.
  readonly #slots: ({ call: ServerCall; mark: string } | undefined)[] = [];
  readonly #free: number[] = [];
  #count = 0;

  /** Marks the metadata of a call, passes the call to grpc-js, and returns a function that unregisters it. */
  register(call: ServerCall, serve: () => void): () => void {
    const slot = this.#free.pop() ?? this.#slots.length;
    const mark = `${slot} ${this.#count++}`;
    this.#slots[slot] = { call, mark };
    call.headers[KEY] = mark;
    // grpc-js reads the headers before this returns.
    serve();
    delete call.headers[KEY];
    return () => {
      this.#slots[slot] = undefined;
      this.#free.push(slot);
    };
  }

  /** Returns the call of a handler; undefined after its stream was closed. */
  callOf(metadata: Metadata): ServerCall | undefined {
    const mark = String(metadata.get(KEY)[0]);
    const found = this.#slots[Number.parseInt(mark, 10)];
    return found?.mark === mark ? found.call : undefined;
  }
}
