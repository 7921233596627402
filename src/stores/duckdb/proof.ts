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
import { readCatalog, type Volume } from "./catalog.ts";
import { publicKeyPath } from "./chain.ts";
import { SEAL_TEXT } from "./columns.ts";
import { type Database, type DatabaseOptions, literal, openDatabase } from "./database.ts";
import { makeDirectory, writeDurably } from "./durable.ts";
import { parquetOf, sealOf } from "./layout.ts";
import { groupsOf, rootOf, type SealedRow } from "./row-seals.ts";
import { fullId } from "./short-id.ts";
import { sealedRows } from "./volume.ts";

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
    const days = await concernedDays(options.entries, database);
    const first = days[0] ?? options.first;
    const all = (await readCatalog(options.root, first === undefined ? {} : { first })).flatMap(
      ({ volumes }) => volumes,
    );
    let proved = 0;
    for (const volume of all) {
      const dir = join(options.to, volume.seal.node);
      await makeDirectory(dir);
      await copySeal(volume, dir);
      if (days.includes(volume.seal.date)) proved += await proveRows(volume, dir, { ...options, database });
    }
    for (const node of new Set(all.map(({ seal }) => seal.node))) {
      await copyFile(publicKeyPath(options.root, node), join(options.to, node, "key.pem"));
    }
    return { proved, seals: all.length };
  } finally {
    await database.close();
  }
}

async function concernedDays(entries: string, database: Database): Promise<string[]> {
  const rows = await database.rows(`SELECT DISTINCT strftime("at", '%Y-%m-%d') FROM ${literal(entries)} ORDER BY 1`);
  return rows.map(([date]) => String(date));
}

/** Named by its number, so that the order of the chain is the order of the names. */
async function copySeal({ seal, path }: Volume, dir: string): Promise<void> {
  const name = `${String(seal.seq).padStart(SEQ_DIGITS, "0")}-${seal.date}-${seal.volume}.seal`;
  await writeDurably(join(dir, name), await readFile(join(path.dir, sealOf(seal.volume))));
}

/** @returns how many of the entries are in this volume */
async function proveRows(
  { seal, path }: Volume,
  dir: string,
  { entries, database }: { entries: string; database: Database },
): Promise<number> {
  const parquet = join(path.dir, parquetOf(seal.volume));
  const texts = await textsOf(parquet, entries, database);
  if (texts.size === 0) return 0;
  const rows = await sealedRows(parquet, database);
  if (rootOf(groupsOf(rows)) !== seal.rows) {
    throw new Error(
      `day ${seal.date} of node ${seal.node} is not as it was sealed: consentry ledger verify tells more`,
    );
  }
  const file = createWriteStream(join(dir, `${seal.date}-${seal.volume}.rows`), { mode: FILE_MODE, flags: "wx" });
  await pipeline(linesOf(rows, texts), file);
  return texts.size;
}

/** The sealed text of each exported row, by id. */
async function textsOf(parquet: string, entries: string, database: Database): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const sql = `SELECT id, epoch_ms("at")::DOUBLE, ${SEAL_TEXT} FROM ${literal(parquet)}
    WHERE ledger_id(id, epoch_ms("at")) IN (SELECT id FROM ${literal(entries)})`;
  for await (const rows of database.stream(sql)) {
    for (const [id, at, text] of rows) texts.set(fullId(String(id), Number(at)), String(text));
  }
  return texts;
}

function* linesOf(rows: readonly SealedRow[], texts: ReadonlyMap<string, string>): Generator<string> {
  for (let from = 0; from < rows.length; from += GROUP) {
    const group = rows.slice(from, from + GROUP);
    if (!group.some(({ id }) => texts.has(id))) {
      yield `group ${groupsOf(group)[0]?.toString("hex")}\n`;
      continue;
    }
    for (const { id, hash } of group) {
      const text = texts.get(id);
      const hex = hash.toString("hex");
      yield text === undefined ? `other ${hex}\n` : `entry ${hex} ${id} ${Buffer.from(text).toString("base64")}\n`;
    }
    yield "end\n";
  }
}
