/** A Parquet file that is not the one that was sealed: which entries were changed, removed or added, or cannot be read any more. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Unavailable } from "../../kit/trouble.ts";
import type { Trouble } from "../../ledger/chain-check.ts";
import type { ReadSeal } from "../../ledger/seal.ts";
import { COLUMNS, placeOf, sealText } from "./columns.ts";
import type { Database } from "./database.ts";
import { indexOf, parquetOf, rowsOf } from "./layout.ts";
import { type ChunkBytes, cellsOf } from "./parquet/cells.ts";
import type { Cell } from "./parquet/columns.ts";
import { columnsOf } from "./point-read.ts";
import { byId, compareRows, groupsOf, type RowSeals, rootOf, type SealedRow } from "./row-seals.ts";
import { fullId } from "./short-id.ts";
import { rowSealsAt, sealedRows } from "./volume.ts";
import { readVolumeIndex } from "./volume-index.ts";

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

async function differences(parquet: string, check: RowCheck): Promise<Named[]> {
  const { dir, volume, intact, database } = check;
  const { seal } = volume;
  const { rows, unreadable, whole } = await readRows(parquet, check);
  if (rows.length === 0 && unreadable.length > 0 && unreadable.every(({ ids }) => ids.length === 0)) {
    return [{ says: `none of its ${seal.entries} entries can be read any more` }];
  }
  const damaged = [...new Set(unreadable.map(({ says }) => says))].map((says) => ({ says }));
  if (!intact.has(rowsOf(seal.volume))) {
    const same = unreadable.length === 0 && rootOf(groupsOf(rows)) === seal.rows;
    return [
      ...damaged,
      { says: same ? (whole ? AS_SEALED : IN_PIECES) : `${UNTOLD}: the list of their hashes differs, too` },
    ];
  }
  const named = nameDifferences(await rowSealsAt(join(dir, rowsOf(seal.volume)), database), rows, unreadable);
  const unharmed = [{ says: whole ? AS_SEALED : IN_PIECES }];
  return [...damaged, ...(named.length + damaged.length === 0 ? unharmed : named)];
}

const UNTOLD = "which of its entries differ cannot be told";
const AS_SEALED = "its entries are as they were sealed: what differs is how they are written";

const IN_PIECES =
  "its entries are as they were sealed, but cannot be read by any engine: what says where they lie is damaged";

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

/** What can be read, in the order of ids; row group by row group where the file as a whole cannot. */
async function readRows(parquet: string, { dir, volume, intact, database }: RowCheck) {
  try {
    return { rows: await sealedRows(parquet, database), unreadable: [], whole: true };
  } catch (error) {
    if (error instanceof Unavailable) throw error;
    const name = indexOf(volume.seal.volume);
    if (!intact.has(name))
      return { rows: [], unreadable: [{ ids: [], says: "cannot be read any more" }], whole: false };
    const { rows, unreadable } = readGroups(parquet, join(dir, name), database);
    return { rows: rows.sort(byId), unreadable, whole: false };
  }
}

/** By the index, which knows where all columns lie. */
function readGroups(parquet: string, indexPath: string, { cipher }: Database) {
  const index = readVolumeIndex(indexPath, cipher);
  const unseal = cipher?.parquetModule(parquet).unseal;
  const rows: SealedRow[] = [];
  const unreadable: Unreadable[] = [];
  const bytesOfFile = readFileSync(parquet);
  index.groups.forEach(([offset, bytes, count], group) => {
    const columns = columnsOf(bytesOfFile.subarray(offset, offset + bytes), index.chunksOf(group), { unseal });
    const places = Array.from({ length: count }, (_, place) => place);
    const cells = columns.map((column) => cellsIfReadable(column, places));
    if (cells.every((column) => column !== undefined)) {
      rows.push(...places.map((row) => sealedRow(cells.map((column) => column[row] ?? null))));
    } else unreadable.push(damageOf(cells, count));
  });
  return { rows, unreadable };
}

type Column = readonly Cell[] | undefined;

/** undefined: its pages cannot be unpacked, or what they hold is no text or number. */
function cellsIfReadable(column: ChunkBytes, places: readonly number[]): Column {
  try {
    return cellsOf(column, places);
  } catch {
    return undefined;
  }
}

const AT = placeOf("at");
const ID = placeOf("id");

function sealedRow(cells: readonly Cell[]): SealedRow {
  const hash = createHash("sha256").update(sealText(cells)).digest();
  return { id: fullId(String(cells[ID]), Number(cells[AT])), hash };
}

/** A row group with damage: which columns, and which entries as far as they can be named. */
function damageOf(cells: readonly Column[], count: number): Unreadable {
  const broken = COLUMNS.filter((_, index) => cells[index] === undefined).map(({ name }) => name);
  const columns = `column${broken.length === 1 ? "" : "s"} ${broken.join(", ")}`;
  const [times, shorts] = [cells[AT], cells[ID]];
  if (!times || !shorts) {
    return {
      ids: [],
      says: broken.length === COLUMNS.length ? "cannot be read any more" : `${columns} cannot be read any more`,
    };
  }
  const ids = shorts.map((short, row) => fullId(String(short), Number(times[row]))).sort();
  const [first = ""] = ids;
  return { ids, says: `${columns} cannot be read any more in ${count} entries, ${first} to ${ids.at(-1)}` };
}
