import assert from "node:assert/strict";
import test from "ava";
import * as fc from "fast-check";
import { StreamTable } from "../../../src/platform/grpc/stream-table.ts";

/** A change of a Map, which returns what the Map's method returns. */
type Step = (map: Map<number, string>) => unknown;

const id = fc.integer({ min: 0, max: 8 });
const value = fc.string({ maxLength: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(id, value).map(
    ([id, value]): Step =>
      (map) =>
        map.set(id, value) === map,
  ),
  id.map(
    (id): Step =>
      (map) =>
        map.delete(id),
  ),
  fc.tuple(id, value).map(
    ([id, value]): Step =>
      (map) =>
        map.getOrInsert(id, value),
  ),
  fc.tuple(id, value).map(([id, value]): Step => {
    return (map) => {
      const computed: number[] = [];
      const compute = (missing: number): string => `${computed.push(missing)} ${value}`;
      return [map.getOrInsertComputed(id, compute), computed];
    };
  }),
  fc.constant<Step>((map) => map.clear()),
);

/** Returns everything that a Map holds, in the order of the ids. */
function contentOf(map: Map<number, string>): unknown {
  const visited: [number, string][] = [];
  const thisArg = {};
  map.forEach(function (this: unknown, value, id, visitedMap) {
    assert.equal(this, thisArg);
    assert.equal(visitedMap, map);
    visited.push([id, value]);
  }, thisArg);
  const sorted = (entries: Iterable<[number, string]>): unknown => [...entries].toSorted(([a], [b]) => a - b);
  return {
    size: map.size,
    tag: Object.prototype.toString.call(map),
    read: Array.from({ length: 10 }, (_, id) => [map.has(id), map.get(id)]),
    entries: sorted(map.entries()),
    iterated: sorted(map),
    visited: sorted(visited),
    keys: [...map.keys()].toSorted((a, b) => a - b),
    values: [...map.values()].toSorted(),
  };
}

test("a stream table holds what a Map would hold after the same changes", (t) => {
  const property = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    const [table, map] = [new StreamTable<string>(), new Map<number, string>()];
    for (const change of steps) {
      assert.deepEqual(change(table), change(map));
      assert.deepEqual(contentOf(table), contentOf(map));
    }
  });
  t.notThrows(() => fc.assert(property));
});

test("a stream table has every property of a Map", (t) => {
  const table = new StreamTable();
  const missing = Reflect.ownKeys(Map.prototype).filter((key) => !Reflect.has(table, key));
  t.deepEqual(missing, []);
  for (const key of Reflect.ownKeys(Map.prototype)) {
    t.is(typeof Reflect.get(table, key), typeof Reflect.get(new Map(), key), String(key));
  }
});

test("an entry may be deleted while a stream table is iterated", (t) => {
  for (const iterate of [
    (table: StreamTable<string>, visit: (id: number) => void) => table.forEach((_, id) => visit(id)),
    (table: StreamTable<string>, visit: (id: number) => void) => {
      for (const id of table.keys()) visit(id);
    },
    (table: StreamTable<string>, visit: (id: number) => void) => {
      for (const [id] of table) visit(id);
    },
  ]) {
    const table = new StreamTable<string>();
    for (const id of [1, 3, 5, 7]) table.set(id, `stream ${id}`);
    const visited: number[] = [];
    iterate(table, (id) => {
      visited.push(id);
      table.delete(id);
    });
    t.deepEqual(new Set(visited), new Set([1, 3, 5, 7]));
    t.is(visited.length, 4);
    t.is(table.size, 0);
  }
});
