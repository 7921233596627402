import { setImmediate as breathe } from "node:timers/promises";
import type { Key, Row, Tables, Value, Versioned } from "../../kit/store.ts";
import { toJson } from "../order.ts";
import type { Environment } from "./environment.ts";
import { endOf, isLong, keyOf, partsOf, prefixOf } from "./keys.ts";
import type { Rows } from "./open.ts";

/** Rows read, or written, without letting anybody else in between. */
const BATCH_ROWS = 500;

/** A row is `[version, value]`; one whose key is too long to be read back carries partition and id behind it. */
type Kept = readonly [version: number, value: Value, partition?: string, id?: string];

const rowKey = (table: string, { partition, id }: Key): Buffer => keyOf(table, partition, id);

const toRow = ({ partition, id }: Key, version: number, json: string): string =>
  isLong(partition) || isLong(id)
    ? `[${version},${json},${JSON.stringify(partition)},${JSON.stringify(id)}]`
    : `[${version},${json}]`;

/** parseInt stops where the number ends: the value need not be parsed. */
const versionOf = (row: string | undefined): number => (row === undefined ? 0 : Number.parseInt(row.slice(1), 10));

function fromRow(row: string): Versioned {
  const [version, value] = JSON.parse(row) as Kept;
  return { version, value };
}

function keyedRow(key: Uint8Array, row: string): Row {
  const [version, value, longPartition, longId] = JSON.parse(row) as Kept;
  const [, partition = "", id = ""] = longPartition === undefined ? partsOf(key) : ["", longPartition, longId];
  return { key: { partition, id }, version, value };
}

/** All rows under a prefix; each batch is read in one go, no transaction stays open in between. */
async function* rowsUnder(environment: Environment<"tables">, prefix: Buffer): AsyncGenerator<Row> {
  let start = prefix;
  // The row with the empty id has the prefix itself as its key.
  let exclusiveStart = false;
  while (true) {
    const batch = await environment.read(({ tables }) => [
      ...tables.getRange({ start, end: endOf(prefix), exclusiveStart, limit: BATCH_ROWS }),
    ]);
    for (const { key, value } of batch) yield keyedRow(key, value);
    const last = batch.at(-1);
    if (!last || batch.length < BATCH_ROWS) return;
    start = Buffer.from(last.key);
    exclusiveStart = true;
    await breathe();
  }
}

function write(rows: Rows, at: Buffer, { key, version, json }: { key: Key; version: number; json: string }): number {
  void rows.put(at, toRow(key, version, json));
  return version;
}

/** Tables in LMDB, keyed [table, partition, id]; a partition lists in the order of the ids' UTF-8 bytes. */
export function createLmdbTables(environment: Environment<"tables">): Tables {
  const readRow = (table: string, key: Key) => {
    const at = rowKey(table, key);
    return environment.read(({ tables }) => tables.get(at));
  };

  return {
    async get(table, key) {
      const row = await readRow(table, key);
      return row === undefined ? undefined : fromRow(row);
    },
    async getMany(table, keys) {
      const found: (Versioned | undefined)[] = [];
      for (let from = 0; from < keys.length; from += BATCH_ROWS) {
        if (from > 0) await breathe();
        const ats = keys.slice(from, from + BATCH_ROWS).map((key) => rowKey(table, key));
        const rows = await environment.read(({ tables }) => ats.map((at) => tables.get(at)));
        for (const row of rows) found.push(row === undefined ? undefined : fromRow(row));
      }
      return found;
    },
    async put(table, key, value, ifVersion) {
      const json = toJson(value);
      const at = rowKey(table, key);
      return environment.write(({ tables }) => {
        const version = versionOf(tables.get(at));
        if (ifVersion !== undefined && ifVersion !== version) return undefined;
        return write(tables, at, { key, version: version + 1, json });
      });
    },
    async putMany(table, rows) {
      for (let from = 0; from < rows.length; from += BATCH_ROWS) {
        const batch = rows
          .slice(from, from + BATCH_ROWS)
          .map(({ key, value }) => ({ key, at: rowKey(table, key), json: toJson(value) }));
        await environment.write(({ tables }) => {
          for (const { key, at, json } of batch)
            write(tables, at, { key, version: versionOf(tables.get(at)) + 1, json });
        }, batch.length);
      }
    },
    async remove(table, key) {
      const at = rowKey(table, key);
      return environment.write(({ tables }) => {
        const existed = tables.doesExist(at);
        if (existed) void tables.remove(at);
        return existed;
      });
    },
    list: (table, partition) => rowsUnder(environment, prefixOf(table, partition)),
    scan: (table) => rowsUnder(environment, prefixOf(table)),
  };
}
