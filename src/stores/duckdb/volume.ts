/** The hour files of a day become one volume: sorted, compressed, with its index and seals, and sealed as the last step. */
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EventCount, SealedFile } from "../../ledger/seal.ts";
import { createAddressIndex, type Role } from "./address-index.ts";
import type { Day } from "./catalog.ts";
import { decrypted } from "./cipher.ts";
import { BLOCK, COLUMN_LIST, fullIdSql, SEAL_TEXT } from "./columns.ts";
import { type Database, literal } from "./database.ts";
import { draftOf, factsOf, settle } from "./durable.ts";
import { addressesOf, parquetOf, rowsOf } from "./layout.ts";
import { createRowSealer, type RowSeals, readRowSeals, type SealedRow } from "./row-seals.ts";

/** Entries that are read together; DuckDB's row groups. */
export const BLOCK_ROWS = 16_384;
/** Blocks of a day: the numbers of two days do not meet. */
const BLOCKS_MAX = 4_096;
const DAY_MS = 86_400_000;
const VOLUME_OPTIONS = `FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 17, ROW_GROUP_SIZE ${BLOCK_ROWS}`;

/** The number of a day's first block. */
export const firstBlock = (date: string): number => (Date.parse(date) / DAY_MS) * BLOCKS_MAX;

/** What the seal says of a volume's content. */
export interface VolumeContent {
  readonly entries: number;
  readonly files: readonly SealedFile[];
  readonly rows: string;
  readonly counts: readonly EventCount[];
}

export async function writeVolume(day: Day, volume: string, database: Database): Promise<VolumeContent> {
  const parquet = join(day.dir, parquetOf(volume));
  const parts = day.parts.filter(({ rows }) => rows > 0).map(({ file }) => join(day.dir, file));
  await inPlace(parquet, (draft) => copySorted(parts, draft, { date: day.date, database }));
  const entries = await checkBlocks(parquet, database);
  await inPlace(join(day.dir, addressesOf(volume)), async (draft) =>
    writeFile(draft, await addressIndex(parquet, day.date, database)),
  );
  const { content, root } = await rowSeals(parquet, database);
  await inPlace(join(day.dir, rowsOf(volume)), (draft) =>
    writeFile(draft, database.cipher?.encrypt(draft, content) ?? content),
  );
  const names = [parquetOf(volume), addressesOf(volume), rowsOf(volume)];
  const files = await Promise.all(names.map((name) => sealedFile(day.dir, name)));
  return { entries, files, rows: root, counts: await countsOf(parquet, database) };
}

async function inPlace(path: string, write: (draft: string) => Promise<void>): Promise<void> {
  const draft = draftOf(path);
  try {
    await write(draft);
    await settle(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
}

interface Sorting {
  readonly date: string;
  readonly database: Database;
}

/**
 * In the order of client addresses, which senders keep to and most fields with them. An entry that was appended twice in two hour files
 * (its append was repeated after a failure) is kept once.
 */
async function copySorted(parts: readonly string[], draft: string, { date, database }: Sorting): Promise<void> {
  const source = await database.from(parts);
  const [[all, distinct] = [0, 0]] = await database.rows(
    `SELECT count(*)::DOUBLE, count(DISTINCT (id, "at"))::DOUBLE FROM ${source}`,
  );
  const once = all === distinct ? "" : `QUALIFY row_number() OVER (PARTITION BY id, "at") = 1`;
  const sorted = `SELECT ${COLUMN_LIST} FROM ${source} ${once} ORDER BY client_ip, sender, "at", id`;
  const block = `(${firstBlock(date)} + least(${BLOCKS_MAX - 1}, (row_number() OVER () - 1) // ${BLOCK_ROWS}))::INTEGER`;
  const options = `${VOLUME_OPTIONS}${await database.into(draft)}`;
  await database.run(`COPY (SELECT ${block} AS ${BLOCK}, * FROM (${sorted})) TO ${literal(draft)} (${options})`);
}

/** Look-ups rely on a block being rows that follow one another. @returns how many entries there are */
async function checkBlocks(parquet: string, database: Database): Promise<number> {
  const source = (await database.from([parquet])).replace(/\)$/, ", file_row_number = true)");
  const [[rows, strays] = []] = await database.rows(
    `SELECT count(*)::DOUBLE, count(*) FILTER (${BLOCK} % ${BLOCKS_MAX} <> least(${BLOCKS_MAX - 1}, file_row_number // ${BLOCK_ROWS}))::DOUBLE FROM ${source}`,
  );
  if (Number(rows) === 0 || Number(strays) > 0) throw new Error(`${parquet}: blocks and row groups do not agree`);
  return Number(rows);
}

const ROLES: readonly Role[] = ["sender", "recipient"];

async function addressIndex(parquet: string, date: string, database: Database): Promise<Buffer> {
  const index = createAddressIndex(parquet, database.cipher);
  const first = firstBlock(date);
  for (const role of ROLES) {
    const source = await database.from([parquet]);
    const sql = `SELECT lower(${role}), ${BLOCK}, bool_or(lower(${role}) <> ${role}) FROM ${source} WHERE ${role} IS NOT NULL GROUP BY ALL`;
    for await (const rows of database.stream(sql)) {
      for (const [address, block, mixedCase] of rows) {
        index.add({ role, address: String(address), block: Number(block) - first, mixedCase: mixedCase === true });
      }
    }
  }
  return index.toBuffer();
}

/** The rows of a Parquet file as their seals see them, in the order of their ids. */
async function* rowHashes(parquet: string, database: Database, where: string): AsyncGenerator<SealedRow> {
  const sql = `SELECT ${fullIdSql("id")}, sha256(${SEAL_TEXT}) FROM ${await database.from([parquet])} WHERE ${where} ORDER BY 1`;
  for await (const rows of database.stream(sql)) {
    for (const [id, hash] of rows) yield { id: String(id), hash: Buffer.from(String(hash), "hex") };
  }
}

/** All of them at once. */
export async function sealedRows(parquet: string, database: Database, where = "true"): Promise<SealedRow[]> {
  const found: SealedRow[] = [];
  for await (const row of rowHashes(parquet, database, where)) found.push(row);
  return found;
}

/** What the seals of a volume's rows say, from their file. @throws Error when it is none; Unavailable when a key is missing */
export async function rowSealsAt(path: string, { cipher }: Pick<Database, "cipher">): Promise<RowSeals> {
  return readRowSeals(decrypted(path, await readFile(path), cipher));
}

async function rowSeals(parquet: string, database: Database): Promise<{ content: Buffer; root: string }> {
  const sealer = createRowSealer();
  for await (const row of rowHashes(parquet, database, "true")) sealer.add(row);
  return sealer.finish();
}

async function sealedFile(dir: string, name: string): Promise<SealedFile> {
  const facts = await factsOf(join(dir, name));
  if (!facts) throw new Error(`${join(dir, name)} is gone`);
  return { name, ...facts };
}

async function countsOf(parquet: string, database: Database): Promise<EventCount[]> {
  const rows = await database.rows(
    `SELECT event, verdict, count(*)::DOUBLE FROM ${await database.from([parquet])} GROUP BY ALL ORDER BY ALL`,
  );
  return rows.map(([event, verdict, entries]) => ({
    event: String(event),
    ...(typeof verdict === "string" && { verdict }),
    entries: Number(entries),
  }));
}
