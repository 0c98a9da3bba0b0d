import type { ServerHttp2Session } from "node:http2";

/**
 * Values by the ids of streams, for what changes with each call. A Map would cost more than it looks: whenever V8 makes a new table
 * for one, the table before points to it, so that once one of them is old and dead, all that come later, with everything that
 * was ever in them, are kept until the next full collection. Each scavenge then copies several MB of streams that are long closed.
 */
export class StreamTable<Value> {
  /** By place: the id of the stream that has it, or 0. There are few at a time, so that looking through them is quick. */
  readonly #ids: number[] = [];
  readonly #values: (Value | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Value | undefined {
    return this.#values[this.#ids.indexOf(id)];
  }

  /** Adds a value; a stream has one. */
  set(id: number, value: Value): this {
    const free = this.#ids.indexOf(0);
    const place = free < 0 ? this.#ids.length : free;
    this.#ids[place] = id;
    this.#values[place] = value;
    this.#size++;
    return this;
  }

  delete(id: number): boolean {
    const place = this.#ids.indexOf(id);
    if (place < 0) return false;
    this.#ids[place] = 0;
    this.#values[place] = undefined;
    this.#size--;
    return true;
  }

  values(): Value[] {
    return this.#values.filter((value) => value !== undefined);
  }

  forEach(callback: (value: Value) => void): void {
    this.values().forEach(callback);
  }
}

/**
 * Has Node keep a session's streams in such a table: its own is a Map (lib/internal/http2/core.js). Where a version of Node keeps
 * them elsewhere, or has some already, nothing is changed.
 */
export function tableStreams(session: ServerHttp2Session): void {
  const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === "state");
  const state = symbol && (Reflect.get(session, symbol) as { streams?: Map<number, unknown> });
  // Its Map is of a class of its own, which is no Map to instanceof.
  if (state?.streams?.size === 0) Object.assign(state, { streams: new StreamTable() });
}
