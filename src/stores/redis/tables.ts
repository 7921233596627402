import type { Redis } from "ioredis";
import type { Key, Row, Tables, Value, Versioned } from "../../kit/store.ts";
import { byBytes, toJson } from "../order.ts";
import type { Connection } from "./connect.ts";
import { partitionOf, tableKey, tablePattern } from "./keys.ts";

/** Commands in one write to the socket; bounds what waits in memory for it. */
const READS_AT_ONCE = 10_000;
const WRITES_AT_ONCE = 1_000;
const HASHES_AT_ONCE = 100;
const SCAN_COUNT = 1_000;
const FIELDS_COUNT = 500;

/** A field's value is "version|json". */
export function parseRow(text: string | null | undefined): Versioned | undefined {
  if (text === null || text === undefined) return undefined;
  const bar = text.indexOf("|");
  return { version: Number(text.slice(0, bar)), value: JSON.parse(text.slice(bar + 1)) as Value };
}

const toRow = (key: Key, text: string): Row[] => {
  const found = parseRow(text);
  return found ? [{ key, ...found }] : [];
};

export function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}

type Page = readonly [cursor: string, fieldsAndValues: string[]];

/** A page of a hash; field and value in turn. */
const page = (connection: Connection, hash: string, cursor: string): Promise<Page> =>
  connection.run((client) => client.hscan(hash, cursor, "COUNT", FIELDS_COUNT));

async function* pages(connection: Connection, hash: string, first: Page): AsyncGenerator<string[]> {
  let [cursor, found] = first;
  yield found;
  while (cursor !== "0") {
    [cursor, found] = await page(connection, hash, cursor);
    yield found;
  }
}

function* pairs(flat: readonly string[]): Generator<[id: string, text: string]> {
  for (let i = 0; i + 1 < flat.length; i += 2) yield [flat[i] ?? "", flat[i + 1] ?? ""];
}

/** All keys of a table on one server, a batch at a time. */
async function* hashesOn(connection: Connection, server: Redis, table: string): AsyncGenerator<string[]> {
  const pattern = tablePattern(table);
  let cursor = "0";
  do {
    const [next, found] = await connection.run(() =>
      server.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT, "TYPE", "hash"),
    );
    yield* chunks(found, HASHES_AT_ONCE) as Generator<string[]>;
    cursor = next;
  } while (cursor !== "0");
}

async function* rowsOf(connection: Connection, table: string, hashes: readonly string[]): AsyncGenerator<Row> {
  const firsts = await Promise.all(hashes.map((hash) => page(connection, hash, "0")));
  for (const [i, hash] of hashes.entries()) {
    const partition = partitionOf(hash, table);
    for await (const found of pages(connection, hash, firsts[i] ?? ["0", []])) {
      for (const [id, text] of pairs(found)) yield* toRow({ partition, id }, text);
    }
  }
}

/**
 * Tables as hashes, one for each table and partition. Durable as far as the server is told to be: with `appendonly yes` and
 * `appendfsync always` when a write resolves, with the usual `everysec` within a second after.
 *
 * `list` holds one partition in memory, to give it in order; `scan` walks the whole key space of every master.
 */
export function createRedisTables(connection: Connection): Tables {
  const put = (table: string, { partition, id }: Key, change: { json: string; ifVersion: number | "" }) =>
    connection.run((client) => client.consentryPut(tableKey(table, partition), id, change.json, change.ifVersion));

  return {
    get: async (table, { partition, id }) =>
      parseRow(await connection.run((client) => client.hget(tableKey(table, partition), id))),
    async getMany(table, keys) {
      const found: (Versioned | undefined)[] = [];
      for (const some of chunks(keys, READS_AT_ONCE)) {
        const texts = await connection.run((client) =>
          Promise.all(some.map(({ partition, id }) => client.hget(tableKey(table, partition), id))),
        );
        for (const text of texts) found.push(parseRow(text));
      }
      return found;
    },
    put: async (table, key, value, ifVersion) =>
      (await put(table, key, { json: toJson(value), ifVersion: ifVersion ?? "" })) ?? undefined,
    async putMany(table, rows) {
      for (const some of chunks(rows, WRITES_AT_ONCE)) {
        await connection.run((client) =>
          Promise.all(
            some.map(({ key, value }) =>
              client.consentryPut(tableKey(table, key.partition), key.id, toJson(value), ""),
            ),
          ),
        );
      }
    },
    remove: async (table, { partition, id }) =>
      (await connection.run((client) => client.hdel(tableKey(table, partition), id))) === 1,
    async *list(table, partition) {
      const hash = tableKey(table, partition);
      const texts = new Map<string, string>();
      for await (const found of pages(connection, hash, await page(connection, hash, "0"))) {
        for (const [id, text] of pairs(found)) texts.set(id, text);
      }
      for (const id of [...texts.keys()].sort(byBytes)) yield* toRow({ partition, id }, texts.get(id) ?? "");
    },
    async *scan(table) {
      await connection.run((client) => client.ping());
      for (const server of connection.masters()) {
        for await (const hashes of hashesOn(connection, server, table)) yield* rowsOf(connection, table, hashes);
      }
    },
  };
}
