import type { Key, Row, Tables, Value, Versioned } from "../../kit/store.ts";
import { byBytes, toJson } from "../order.ts";

interface Kept {
  readonly json: string;
  readonly version: number;
}
type Partitions = Map<string, Map<string, Kept>>;

/** Values are kept as JSON text, so that nobody holds a reference into the store. */
const read = ({ json, version }: Kept): Versioned => ({ value: JSON.parse(json) as Value, version });

/** Tables in memory: gone when the process ends. */
export function createMemoryTables(): Tables {
  const tables = new Map<string, Partitions>();

  const find = (table: string, key: Key): Kept | undefined => tables.get(table)?.get(key.partition)?.get(key.id);

  function write(table: string, key: Key, value: Value): number {
    const json = toJson(value);
    const version = (find(table, key)?.version ?? 0) + 1;
    const partitions: Partitions = tables.get(table) ?? new Map();
    const records = partitions.get(key.partition) ?? new Map<string, Kept>();
    tables.set(table, partitions.set(key.partition, records.set(key.id, { json, version })));
    return version;
  }

  function erase(table: string, key: Key): boolean {
    const partitions = tables.get(table);
    const records = partitions?.get(key.partition);
    const existed = records?.delete(key.id) ?? false;
    if (records?.size === 0) partitions?.delete(key.partition);
    return existed;
  }

  function* rows(table: string, partition: string): Generator<Row> {
    const records = tables.get(table)?.get(partition);
    for (const id of [...(records?.keys() ?? [])].sort(byBytes)) {
      const kept = records?.get(id);
      if (kept) yield { key: { partition, id }, ...read(kept) };
    }
  }

  return {
    async get(table, key) {
      const kept = find(table, key);
      return kept && read(kept);
    },
    async getMany(table, keys) {
      return keys.map((key) => {
        const kept = find(table, key);
        return kept && read(kept);
      });
    },
    async put(table, key, value, ifVersion) {
      if (ifVersion !== undefined && ifVersion !== (find(table, key)?.version ?? 0)) return undefined;
      return write(table, key, value);
    },
    async putMany(table, many) {
      for (const { key, value } of many) write(table, key, value);
    },
    remove: async (table, key) => erase(table, key),
    async *list(table, partition) {
      yield* rows(table, partition);
    },
    async *scan(table) {
      for (const partition of [...(tables.get(table)?.keys() ?? [])]) yield* rows(table, partition);
    },
  };
}
