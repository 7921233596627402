/**
 * Look-ups of an address or a client's IP, without DuckDB: the index of each volume names the pages that may have it, and only those are
 * read. DuckDB unpacks whole row groups, 5 to 8 ms of processor time for each that has a hit, and a recipient has one in hundreds.
 */
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { canonicalIp } from "../../kit/ip.ts";
import type { Entry } from "../../ledger/entry.ts";
import type { Search } from "../../ledger/journal.ts";
import { matcher } from "../search.ts";
import type { Role } from "./address-index.ts";
import type { Volume } from "./catalog.ts";
import type { Cipher } from "./cipher.ts";
import { PARQUET_COLUMNS, placeOf, toEntry } from "./columns.ts";
import { indexOf, parquetOf } from "./layout.ts";
import { type ChunkBytes, cellsOf, rowsWith } from "./parquet/cells.ts";
import { GROUP_ROWS, PAGE_ROWS } from "./parquet/columns.ts";
import { openUnpacker } from "./parquet/unpack.ts";
import { bytesOf, type ChunkPlace } from "./parquet/writer.ts";
import { readVolumeIndex, type VolumeIndex, withFile } from "./volume-index.ts";

/** What is looked for: a text in one of these columns. */
interface Wanted {
  readonly roles: readonly (Role | "ip")[];
  readonly text: string;
}

/** Of one volume; where more pages matter, DuckDB reads all of it as fast, and puts what it finds in order without holding it. */
const PAGES_MAX = 64;

/** undefined: no look-up of this kind. */
function wantedOf({ sender, recipient, address, ip }: Search): Wanted[] | undefined {
  const exact = ip === undefined ? undefined : canonicalIp(ip);
  const all: [Wanted["roles"], string | undefined][] = [
    [["recipient"], recipient],
    [["sender"], sender],
    [["sender", "recipient"], address],
    [["ip"], exact],
  ];
  const wanted = all.flatMap(([roles, text]) => (text ? [{ roles, text: text.toLowerCase() }] : []));
  return wanted.length > 0 ? wanted : undefined;
}

/** The volumes whose index tells which pages a search has to read, with those pages; and the others. */
export interface PointPlan {
  readonly indexed: readonly Indexed[];
  readonly others: readonly Volume[];
}

interface Indexed {
  readonly volume: Volume;
  readonly index: VolumeIndex;
  readonly pages: readonly number[];
}

export interface IndexCache {
  of(volume: Volume): VolumeIndex;
}

const CACHE_BYTES_MAX = 64 * 2 ** 20;

/** Indexes that were read, as many as go into a bounded memory: a sealed volume never changes. */
export function createIndexCache(cipher: Cipher | undefined): IndexCache {
  const known = new Map<string, VolumeIndex>();
  let bytes = 0;
  return {
    of({ path, seal, digest }) {
      const key = `${path.dir} ${digest}`;
      const found = known.get(key) ?? readVolumeIndex(join(path.dir, indexOf(seal.volume)), cipher);
      bytes += known.delete(key) ? 0 : found.bytes;
      known.set(key, found);
      for (const [oldest, index] of known) {
        if (bytes <= CACHE_BYTES_MAX || known.size === 1) break;
        known.delete(oldest);
        bytes -= index.bytes;
      }
      return found;
    },
  };
}

/** An index that cannot be read only costs the time it would have saved. */
export function planPoint(search: Search, volumes: readonly Volume[], cache: IndexCache): PointPlan {
  const wanted = wantedOf(search);
  if (!wanted) return { indexed: [], others: volumes };
  const indexed: Indexed[] = [];
  const others: Volume[] = [];
  for (const volume of volumes) {
    try {
      const index = cache.of(volume);
      const pages = wanted.map((each) => pagesWith(each, index)).reduce(inBoth);
      if (pages.length > PAGES_MAX) others.push(volume);
      else if (pages.length > 0) indexed.push({ volume, index, pages });
    } catch {
      others.push(volume);
    }
  }
  return { indexed, others };
}

function inBoth(some: readonly number[], others: readonly number[]): number[] {
  const known = new Set(others);
  return some.filter((page) => known.has(page));
}

function pagesWith({ roles, text }: Wanted, index: VolumeIndex): number[] {
  const pages = roles.flatMap((role) => (role === "ip" ? pagesOfIp(text, index) : index.pagesOf(role, text)));
  return [...new Set(pages)].sort((a, b) => a - b);
}

/** Pages begin with ever greater addresses; those without any come last. */
function pagesOfIp(ip: string, { ips }: VolumeIndex): number[] {
  if (!ips) throw new Error("this volume does not lie in the order of client addresses");
  return ips.flatMap((first, page) => {
    const next = ips[page + 1];
    return first !== null && first <= ip && (next === undefined || next === null || next >= ip) ? [page] : [];
  });
}

/** Entries of these days, one day after the other; those of one in the order of time and ids. */
export async function* pointEntries(
  search: Search,
  indexed: readonly Indexed[],
  cipher: Cipher | undefined,
): AsyncGenerator<Entry> {
  const wanted = wantedOf(search) ?? [];
  const matches = matcher(search);
  if (indexed.length > 0) await openUnpacker();
  const dates = new Map<string, Indexed[]>();
  for (const each of indexed) {
    const { date } = each.volume.seal;
    dates.set(date, [...(dates.get(date) ?? []), each]);
  }
  for (const date of [...dates.keys()].sort()) {
    const found: Entry[] = [];
    for (const each of dates.get(date) ?? []) {
      for (const entry of volumeEntries(each, wanted, cipher)) if (matches(entry)) found.push(entry);
    }
    yield* found.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    // Others who work in this process get their turn.
    await breathe();
  }
}

const PAGES_OF_GROUP = GROUP_ROWS / PAGE_ROWS;
const COLUMN_PLACES: Record<Role | "ip", number> = {
  sender: placeOf("sender"),
  recipient: placeOf("recipient"),
  ip: placeOf("client_ip"),
};

function volumeEntries(
  { volume, index, pages }: Indexed,
  wanted: readonly Wanted[],
  cipher: Cipher | undefined,
): Entry[] {
  const path = join(volume.path.dir, parquetOf(volume.seal.volume));
  const groups = new Map<number, number[]>();
  for (const page of pages) {
    const group = Math.floor(page / PAGES_OF_GROUP);
    groups.set(group, [...(groups.get(group) ?? []), page % PAGES_OF_GROUP]);
  }
  const unseal = cipher?.parquetModule(path).unseal;
  const scratch = Buffer.allocUnsafe(Math.max(0, ...[...groups.keys()].map((group) => index.groups[group]?.[1] ?? 0)));
  return withFile(path, (read) =>
    [...groups].flatMap(([group, inGroup]) => {
      const [offset = 0, bytes = 0, rows = 0] = index.groups[group] ?? [];
      // Nothing of it is left when the next one is read: texts are copies.
      const columns = columnsOf(read(offset, bytes, scratch), index.chunksOf(group), unseal);
      const places = inGroup.flatMap((page) =>
        placesOf(wanted, columns, { index: page, rows: Math.min(PAGE_ROWS, rows - page * PAGE_ROWS) }),
      );
      if (places.length === 0) return [];
      const cells = columns.map((column) => cellsOf(column, places));
      return places.map((_, row) => toEntry(cells.map((column) => column[row] ?? null)));
    }),
  );
}

/** The columns of a row group, from its bytes. */
export function columnsOf(
  bytes: Buffer,
  chunks: readonly ChunkPlace[],
  unseal: ((module: Buffer) => Buffer) | undefined,
): ChunkBytes[] {
  let at = 0;
  return PARQUET_COLUMNS.map((column, index) => {
    const chunk = chunks[index];
    if (!chunk) throw new Error("the index lacks a column");
    const from = at;
    at += bytesOf(chunk.pages);
    return { ...chunk, column, unseal, unpacked: new Map(), bytes: bytes.subarray(from, at) };
  });
}

/** Rows of a page that have the first text looked for; the others are looked at entry by entry. */
function placesOf(
  [first]: readonly Wanted[],
  columns: readonly ChunkBytes[],
  page: { index: number; rows: number },
): number[] {
  if (!first) return [];
  const places = first.roles.flatMap((role) => {
    const column = columns[COLUMN_PLACES[role]];
    return column ? rowsWith(column, first.text, page) : [];
  });
  return [...new Set(places)].sort((a, b) => a - b);
}
