/**
 * A Map by stream id, for few entries that change with every call. V8 links each table of a real Map to the next, so that one old, dead
 * table keeps every stream of the later ones until the next full collection. That costs a fifth of a call (measured in bench/README.md).
 * The order is not that of insertion.
 */
export class StreamTable<Value> implements Map<number, Value> {
  readonly [Symbol.toStringTag] = "Map";
  readonly #entries: [id: number, value: Value][] = [];

  get size(): number {
    return this.#entries.length;
  }

  has(id: number): boolean {
    return this.#indexOf(id) >= 0;
  }

  get(id: number): Value | undefined {
    return this.#entries[this.#indexOf(id)]?.[1];
  }

  set(id: number, value: Value): this {
    const index = this.#indexOf(id);
    this.#entries[index < 0 ? this.size : index] = [id, value];
    return this;
  }

  getOrInsert(id: number, value: Value): Value {
    return this.getOrInsertComputed(id, () => value);
  }

  getOrInsertComputed(id: number, compute: (id: number) => Value): Value {
    if (!this.has(id)) this.set(id, compute(id));
    return this.get(id) as Value;
  }

  delete(id: number): boolean {
    const index = this.#indexOf(id);
    const last = index < 0 ? undefined : this.#entries.pop();
    if (last && index < this.size) this.#entries[index] = last;
    return last !== undefined;
  }

  clear(): void {
    this.#entries.length = 0;
  }

  forEach(callback: (value: Value, id: number, table: Map<number, Value>) => void, thisArg?: unknown): void {
    for (const [id, value] of this) callback.call(thisArg, value, id, this);
  }

  /** Iterates over a copy, so that deleting while iterating is safe. */
  entries(): MapIterator<[number, Value]> {
    return this.#entries.map(([id, value]): [number, Value] => [id, value]).values();
  }

  keys(): MapIterator<number> {
    return this.#entries.map(([id]) => id).values();
  }

  values(): MapIterator<Value> {
    return this.#entries.map(([, value]) => value).values();
  }

  [Symbol.iterator](): MapIterator<[number, Value]> {
    return this.entries();
  }

  #indexOf(id: number): number {
    return this.#entries.findIndex(([entryId]) => entryId === id);
  }
}
