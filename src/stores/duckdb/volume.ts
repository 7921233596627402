/** The hour files of a day become one volume: sorted, compressed, with its index and seals, and sealed as the last step. */
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EventCount, SealedFile } from "../../ledger/seal.ts";
import type { Day } from "./catalog.ts";
import { decrypted } from "./cipher.ts";
import { COLUMN_LIST, FOR_CELLS, fullIdSql, PARQUET_COLUMNS, placeOf, SEAL_TEXT } from "./columns.ts";
import type { Database } from "./database.ts";
import { draftOf, factsOf, settle } from "./durable.ts";
import { indexOf, parquetOf, rowsOf } from "./layout.ts";
import type { Cell } from "./parquet/columns.ts";
import { type GroupPlace, type WriterOptions, writeParquet } from "./parquet/writer.ts";
import { createRowSealer, type RowSeals, readRowSeals, type SealedRow } from "./row-seals.ts";
import { createVolumeIndex, type VolumeIndexWriter } from "./volume-index.ts";

const LEVEL = 17;

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
  const source = await sourceOf(parts, database);
  const index = createVolumeIndex(parquet, database.cipher);
  const groups: GroupPlace[] = [];
  await inPlace(parquet, async (draft) => {
    groups.push(
      ...(await writeParquet(draft, indexed(sortedRows(source, database), index), optionsOf(parquet, database))),
    );
  });
  const entries = await checkCopy(source, parquet, database);
  await inPlace(join(day.dir, indexOf(volume)), (draft) => writeFile(draft, index.finish(groups)));
  const { content, root } = await rowSeals(parquet, database);
  await inPlace(join(day.dir, rowsOf(volume)), (draft) =>
    writeFile(draft, database.cipher?.encrypt(draft, content) ?? content),
  );
  const names = [parquetOf(volume), indexOf(volume), rowsOf(volume)];
  const files = await Promise.all(names.map((name) => sealedFile(day.dir, name)));
  return { entries, files, rows: root, counts: await countsOf(parquet, database) };
}

const optionsOf = (parquet: string, { cipher, threads }: Database): WriterOptions => ({
  columns: PARQUET_COLUMNS,
  level: LEVEL,
  parallel: threads > 1,
  seal: cipher?.parquetModule(parquet).seal,
});

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

/** The rows of these hour files. An entry that was appended twice in two of them (its append was repeated after a failure) is there once. */
async function sourceOf(parts: readonly string[], database: Database): Promise<string> {
  const source = await database.from(parts);
  const [[all, distinct] = [0, 0]] = await database.rows(
    `SELECT count(*)::DOUBLE, count(DISTINCT (id, "at"))::DOUBLE FROM ${source}`,
  );
  return all === distinct
    ? source
    : `(SELECT * FROM ${source} QUALIFY row_number() OVER (PARTITION BY id, "at" ORDER BY ${SEAL_TEXT}) = 1)`;
}

/** In the order of client addresses, which senders keep to and most fields with them. */
async function* sortedRows(source: string, database: Database): AsyncGenerator<readonly Cell[]> {
  const sql = `SELECT ${FOR_CELLS} FROM (SELECT ${COLUMN_LIST} FROM ${source} ORDER BY client_ip, sender, "at", id)`;
  for await (const rows of database.stream(sql)) yield* rows as readonly (readonly Cell[])[];
}

const PLACES = { sender: placeOf("sender"), recipient: placeOf("recipient"), clientIp: placeOf("client_ip") };

/** Lets the index see each row. */
async function* indexed(
  rows: AsyncIterable<readonly Cell[]>,
  index: VolumeIndexWriter,
): AsyncGenerator<readonly Cell[]> {
  const text = (row: readonly Cell[], place: number): string | null => {
    const cell = row[place] ?? null;
    return typeof cell === "string" ? cell : null;
  };
  for await (const row of rows) {
    const { sender, recipient, clientIp } = PLACES;
    index.add({ sender: text(row, sender), recipient: text(row, recipient), clientIp: text(row, clientIp) });
    yield row;
  }
}

/** Before anything is sealed DuckDB, which did not write the volume, has to find the very same rows in it. @returns how many */
async function checkCopy(source: string, parquet: string, database: Database): Promise<number> {
  const facts = async (from: string): Promise<string> =>
    JSON.stringify(
      await database.rows(`SELECT count(*)::DOUBLE, bit_xor(md5_number(${SEAL_TEXT}))::VARCHAR FROM ${from}`),
    );
  const [before, after] = [await facts(source), await facts(await database.from([parquet]))];
  const [[rows] = [0]] = JSON.parse(after) as number[][];
  if (before !== after || !rows) throw new Error(`${parquet} does not hold what the hours of its day do`);
  return rows;
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
