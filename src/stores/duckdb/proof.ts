/**
 * Proof that exported entries are those that were sealed, without showing anybody else's: the seals from the first day concerned to the
 * newest, and for each sealed day the hashes of its rows. In `<date>-<volume>.rows` a line is
 *
 *   group HASH               256 rows (the last group: what is left) with none of the entries in it
 *   other HASH               a row that was not exported, in a group with some that were
 *   entry HASH ID TEXT       a row that was: the SHA-256 of its text, which stands there in base64
 *   end                      of such a group, whose hash is the SHA-256 of its rows' hashes
 *
 * The SHA-256 of all groups' hashes is `rows` in the day's seal.
 */
import { createWriteStream } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ID_FORM, idTimeMs } from "../../kit/ids.ts";
import { readCatalog, type Volume } from "./catalog.ts";
import { publicKeyPath } from "./chain.ts";
import { SEAL_TEXT } from "./columns.ts";
import { type Database, type DatabaseOptions, literal, openDatabase } from "./database.ts";
import { makeDirectory, writeDurably } from "./durable.ts";
import { parquetOf, rowsOf, sealOf } from "./layout.ts";
import { groupsOf, type RowMark, rootOf } from "./row-seals.ts";
import { fullId, shortId } from "./short-id.ts";
import { rowSealsAt, sealedRows } from "./volume.ts";

export interface ProofOptions extends DatabaseOptions {
  /** Directory of the archive. */
  readonly root: string;
  /** The exported entries, as Parquet with ids in full. */
  readonly entries: string;
  /** A directory that is made for the proof. */
  readonly to: string;
  /** The first day the request asks for; default: the first there is. */
  readonly first?: string;
}

export interface Proof {
  /** How many of the entries lie in sealed days. */
  readonly proved: number;
  readonly seals: number;
}

const FILE_MODE = 0o600;
const GROUP = 256;
const SEQ_DIGITS = 6;

/** @throws Error when a row is not the one that was sealed: then nothing may be exported before somebody has looked */
export async function writeProof(options: ProofOptions): Promise<Proof> {
  const database = await openDatabase(options);
  try {
    const days = await listWanted(options.entries, database);
    const first = days[0] ?? options.first;
    const all = (await readCatalog(options.root, first === undefined ? {} : { first })).flatMap(
      ({ volumes }) => volumes,
    );
    let proved = 0;
    for (const volume of all) {
      const dir = join(options.to, volume.seal.node);
      await makeDirectory(dir);
      await copySeal(volume, dir);
      if (days.includes(volume.seal.date)) proved += await proveRows(volume, dir, database);
    }
    for (const node of new Set(all.map(({ seal }) => seal.node))) {
      await copyFile(publicKeyPath(options.root, node), join(options.to, node, "key.pem"));
    }
    return { proved, seals: all.length };
  } finally {
    await database.close();
  }
}

/** Puts what was exported into a table of its own, with ids as the archive writes them. @returns the days concerned */
async function listWanted(entries: string, database: Database): Promise<string[]> {
  const path = join(database.dir, "wanted.jsonl");
  const sql = `SELECT id, epoch_ms("at")::DOUBLE FROM ${literal(entries)}`;
  async function* lines(): AsyncGenerator<string> {
    for await (const rows of database.stream(sql)) {
      yield rows.map(([id, at]) => `${JSON.stringify({ id: shortId(String(id), Number(at)), at })}\n`).join("");
    }
  }
  await pipeline(lines, createWriteStream(path, { mode: FILE_MODE }));
  const columns = "{id: 'VARCHAR', \"at\": 'BIGINT'}";
  await database.run(
    `CREATE TABLE wanted AS SELECT id, make_timestamp_ms("at")::TIMESTAMP_MS AS "at"
       FROM read_json(${literal(path)}, format = 'newline_delimited', columns = ${columns})`,
  );
  const rows = await database.rows(`SELECT DISTINCT strftime("at", '%Y-%m-%d') FROM wanted ORDER BY 1`);
  return rows.map(([date]) => String(date));
}

/** Named by its number, so that the order of the chain is the order of the names. */
async function copySeal({ seal, path }: Volume, dir: string): Promise<void> {
  const name = `${String(seal.seq).padStart(SEQ_DIGITS, "0")}-${seal.date}-${seal.volume}.seal`;
  await writeDurably(join(dir, name), await readFile(join(path.dir, sealOf(seal.volume))));
}

/** @returns how many of the entries are in this volume */
async function proveRows(volume: Volume, dir: string, database: Database): Promise<number> {
  const { seal, path } = volume;
  const parquet = join(path.dir, parquetOf(seal.volume));
  const texts = await textsOf(parquet, database);
  if (texts.size === 0) return 0;
  const { marks, groups } = await rowSealsAt(join(path.dir, rowsOf(seal.volume)), database);
  const parts = groups.map((hash, index) => ({ hash, ids: idsOf(marks, index) }));
  const hit = parts.filter(({ ids }) => ids.some((id) => texts.has(id)));
  const hashes = await hashesOf(parquet, hit, database);
  const groupHash = ({ ids }: Group): Buffer =>
    groupsOf(ids.map((id) => ({ id, hash: hashes.get(id) ?? NO_HASH })))[0] ?? NO_HASH;
  if (rootOf(groups) !== seal.rows || hit.some((group) => !groupHash(group).equals(group.hash))) {
    throw new Error(
      `day ${seal.date} of node ${seal.node} is not as it was sealed: consentry ledger verify tells more`,
    );
  }
  const file = createWriteStream(join(dir, `${seal.date}-${seal.volume}.rows`), { mode: FILE_MODE, flags: "wx" });
  await pipeline(linesOf(parts, texts, hashes), file);
  return texts.size;
}

const NO_HASH = Buffer.alloc(0);

/** 256 rows that follow one another by their ids. */
interface Group {
  readonly hash: Buffer;
  readonly ids: readonly string[];
}

const idsOf = (marks: readonly RowMark[], index: number): string[] =>
  marks.slice(index * GROUP, (index + 1) * GROUP).map(({ id }) => id);

/** The sealed text of each exported row, by id. */
async function textsOf(parquet: string, database: Database): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const sql = `SELECT id, epoch_ms("at")::DOUBLE, ${SEAL_TEXT} FROM ${await database.from([parquet])} SEMI JOIN wanted USING (id, "at")`;
  for await (const rows of database.stream(sql)) {
    for (const [id, at, text] of rows) texts.set(fullId(String(id), Number(at)), String(text));
  }
  return texts;
}

/** So many stretches of time are looked for one by one; of more, the whole day is read. */
const RANGES_MAX = 200;

/** The hashes of the rows of these groups, and perhaps of some others. */
async function hashesOf(parquet: string, groups: readonly Group[], database: Database): Promise<Map<string, Buffer>> {
  const ranges = groups.map(({ ids }) => rangeOf(ids));
  const known = ranges.length <= RANGES_MAX ? ranges.filter((range) => range !== undefined) : [];
  // An id that has no time in it is always among them.
  const made = `epoch_ms("at") - TRY_CAST(split_part(id, '.', 1) AS BIGINT)`;
  const where =
    known.length < ranges.length ? "true" : known.map(([from, to]) => `${made} BETWEEN ${from} AND ${to}`).join(" OR ");
  const rows = await sealedRows(parquet, database, `coalesce(${where}, true)`);
  return new Map(rows.map(({ id, hash }) => [id, hash]));
}

/** When the first and the last of these ids were made; undefined: they do not tell. */
function rangeOf(ids: readonly string[]): readonly [number, number] | undefined {
  if (!ids.every((id) => ID_FORM.test(id))) return undefined;
  return [idTimeMs(ids[0] ?? ""), idTimeMs(ids.at(-1) ?? "")];
}

function* linesOf(
  groups: readonly Group[],
  texts: ReadonlyMap<string, string>,
  hashes: ReadonlyMap<string, Buffer>,
): Generator<string> {
  for (const group of groups) {
    if (!group.ids.some((id) => texts.has(id))) {
      yield `group ${group.hash.toString("hex")}\n`;
      continue;
    }
    for (const id of group.ids) {
      const text = texts.get(id);
      const hex = hashes.get(id)?.toString("hex");
      yield text === undefined ? `other ${hex}\n` : `entry ${hex} ${id} ${Buffer.from(text).toString("base64")}\n`;
    }
    yield "end\n";
  }
}
