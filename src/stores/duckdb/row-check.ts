/** A Parquet file that is not the one that was sealed: which entries were changed, removed or added, or cannot be read any more. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Unavailable } from "../../kit/trouble.ts";
import type { Trouble } from "../../ledger/chain-check.ts";
import type { ReadSeal } from "../../ledger/seal.ts";
import { BLOCK, COLUMNS } from "./columns.ts";
import type { Database } from "./database.ts";
import { parquetOf, rowsOf } from "./layout.ts";
import { byId, compareRows, groupsOf, type RowSeals, rootOf, type SealedRow } from "./row-seals.ts";
import { fullId } from "./short-id.ts";
import { BLOCK_ROWS, firstBlock, rowSealsAt, sealedRows } from "./volume.ts";

export interface RowCheck {
  readonly dir: string;
  readonly at: { readonly node: string; readonly date: string };
  readonly volume: Pick<ReadSeal, "seal">;
  /** Files whose hash is the sealed one. */
  readonly intact: ReadonlySet<string>;
  readonly database: Database;
}

/** So many entries of one kind are named one by one; of the rest, how many. */
const NAMED_MAX = 50;

/** @returns what is wrong with a volume's entries, as far as they can be read */
export async function checkRows(check: RowCheck): Promise<Trouble[]> {
  const { dir, at, volume, intact } = check;
  const name = parquetOf(volume.seal.volume);
  if (intact.has(name) || !existsSync(join(dir, name))) return [];
  try {
    return (await differences(join(dir, name), check)).map((each) => ({ ...at, ...each }));
  } catch (error) {
    // Encrypted, and nobody gave the key.
    if (!(error instanceof Unavailable)) throw error;
    return [{ ...at, says: `${UNTOLD}: ${error.message}` }];
  }
}

async function differences(parquet: string, { dir, volume, intact, database }: RowCheck): Promise<Named[]> {
  const { seal } = volume;
  const { rows, unreadable } = await readRows(parquet, seal, database);
  if (rows.length === 0 && unreadable.length > 0 && unreadable.every(({ ids }) => ids.length === 0)) {
    return [{ says: `none of its ${seal.entries} entries can be read any more` }];
  }
  const damaged = [...new Set(unreadable.map(({ says }) => says))].map((says) => ({ says }));
  if (!intact.has(rowsOf(seal.volume))) {
    const same = unreadable.length === 0 && rootOf(groupsOf(rows)) === seal.rows;
    return [...damaged, { says: same ? AS_SEALED : `${UNTOLD}: the list of their hashes differs, too` }];
  }
  const named = nameDifferences(await rowSealsAt(join(dir, rowsOf(seal.volume)), database), rows, unreadable);
  return [...damaged, ...(named.length + damaged.length === 0 ? [{ says: AS_SEALED }] : named)];
}

const UNTOLD = "which of its entries differ cannot be told";
const AS_SEALED = "its entries are as they were sealed: what differs is how they are written";

type Named = Pick<Trouble, "entry" | "says">;

function nameDifferences(sealed: RowSeals, rows: readonly SealedRow[], unreadable: readonly Unreadable[]): Named[] {
  const { missing, added, changed, unclear } = compareRows(sealed, rows);
  const known = new Set(unreadable.flatMap(({ ids }) => ids));
  const blind = unreadable.some(({ ids }) => ids.length === 0);
  if (missing.length === sealed.marks.length && added.length > 0 && unreadable.length === 0) {
    return [{ says: `holds none of its ${missing.length} entries, but ${added.length} others` }];
  }
  return [
    ...list(changed, "was changed"),
    ...list(
      missing.filter((id) => !known.has(id)),
      blind ? "is missing or cannot be read any more" : "is missing",
    ),
    ...list(added, "was added"),
    ...unclear
      .filter(([first]) => !known.has(first))
      .map(([first, last]) => ({ says: `an entry between ${first} and ${last} was changed` })),
  ];
}

function list(ids: readonly string[], says: string): Named[] {
  const named = ids.slice(0, NAMED_MAX).map((entry) => ({ entry, says }));
  const more = ids.length - named.length;
  return more > 0 ? [...named, { says: `${more} more entries: each ${says}` }] : named;
}

interface Unreadable extends Named {
  readonly ids: readonly string[];
}

/** What can be read, in the order of ids; block by block where the file as a whole cannot. */
async function readRows(parquet: string, { date, entries }: ReadSeal["seal"], database: Database) {
  try {
    return { rows: await sealedRows(parquet, database), unreadable: [] };
  } catch (error) {
    if (error instanceof Unavailable) throw error;
    const rows: SealedRow[] = [];
    const unreadable: Unreadable[] = [];
    for (let index = 0; index * BLOCK_ROWS < entries; index += 1) {
      const where = `${BLOCK} = ${firstBlock(date) + index}`;
      try {
        rows.push(...(await sealedRows(parquet, database, where)));
      } catch {
        unreadable.push(await damageOf(parquet, where, database));
      }
    }
    return { rows: rows.sort(byId), unreadable };
  }
}

/** A block with damage: its columns are read one by one. */
async function damageOf(parquet: string, where: string, database: Database): Promise<Unreadable> {
  const broken: string[] = [];
  for (const { name } of COLUMNS) {
    try {
      await database.rows(
        `SELECT count("${name}"::VARCHAR), max("${name}"::VARCHAR) FROM ${await database.from([parquet])} WHERE ${where}`,
      );
    } catch {
      broken.push(name);
    }
  }
  const columns = `column${broken.length === 1 ? "" : "s"} ${broken.join(", ")}`;
  try {
    const found = await database.rows(
      `SELECT id, epoch_ms("at")::DOUBLE FROM ${await database.from([parquet])} WHERE ${where}`,
    );
    const ids = found.map(([id, at]) => fullId(String(id), Number(at))).sort();
    const [first = ""] = ids;
    return { ids, says: `${columns} cannot be read any more in ${ids.length} entries, ${first} to ${ids.at(-1)}` };
  } catch {
    return {
      ids: [],
      says: broken.length === COLUMNS.length ? "cannot be read any more" : `${columns} cannot be read any more`,
    };
  }
}
