/** Reads the pages that a look-up needs out of one volume: in this process, or in a thread of its own. */
import { join } from "node:path";
import { canonicalIp } from "../../kit/ip.ts";
import type { Entry } from "../../ledger/entry.ts";
import type { Search } from "../../ledger/journal.ts";
import { matcher } from "../search.ts";
import type { Role } from "./address-index.ts";
import type { Cipher } from "./cipher.ts";
import { PARQUET_COLUMNS, placeOf, toEntry } from "./columns.ts";
import { indexOf, parquetOf } from "./layout.ts";
import { type ChunkBytes, cellsOf, rowsWith } from "./parquet/cells.ts";
import { GROUP_ROWS, PAGE_ROWS } from "./parquet/columns.ts";
import { forgetUnpacked, unpackInPlace } from "./parquet/unpack.ts";
import { bytesOf, type ChunkPlace } from "./parquet/writer.ts";
import { type Part, readAhead } from "./read-ahead.ts";
import { readVolumeIndex, type VolumeIndex, withFile } from "./volume-index.ts";

/** What is looked for: a text in one of these columns. */
export interface Wanted {
  readonly roles: readonly (Role | "ip")[];
  readonly text: string;
}

/** undefined: no look-up of this kind. */
export function wantedOf({ sender, recipient, address, ip }: Search): Wanted[] | undefined {
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

/** A sealed volume, by where it lies. */
export interface VolumePlace {
  readonly dir: string;
  readonly volume: string;
  readonly date: string;
  /** Of its seal. */
  readonly digest: string;
}

/** A volume, and its pages that matter. */
export interface Hit extends VolumePlace {
  readonly pages: readonly number[];
}

export interface IndexCache {
  of(place: VolumePlace): VolumeIndex;
}

const CACHE_BYTES_MAX = 64 * 2 ** 20;

/** Indexes that were read, as many as go into a bounded memory: a sealed volume never changes. */
export function createIndexCache(cipher: Cipher | undefined): IndexCache {
  const known = new Map<string, VolumeIndex>();
  let bytes = 0;
  return {
    of({ dir, volume, digest }) {
      const key = `${dir} ${digest}`;
      const found = known.get(key) ?? readVolumeIndex(join(dir, indexOf(volume)), cipher);
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

export interface HitReader {
  /** Entries of these volumes that match, in the order of time and ids. @throws Error when they cannot be read */
  read(search: Search, hits: readonly Hit[]): Entry[];
  /** They are going to be read soon. */
  expect(hits: readonly Hit[]): void;
}

export function createHitReader(cache: IndexCache, cipher: Cipher | undefined): HitReader {
  const scratch = createScratch();
  return {
    read(search, hits) {
      const wanted = wantedOf(search) ?? [];
      const entries = hits.flatMap((hit) =>
        volumeEntries({ ...hit, index: cache.of(hit), scratch }, { wanted, cipher }),
      );
      return entries.filter(matcher(search)).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    },
    expect(hits) {
      for (const hit of hits) readAhead(join(hit.dir, parquetOf(hit.volume)), groupsOf(hit, cache.of(hit)));
    },
  };
}

/** Where the row groups lie that a hit has pages in. */
function groupsOf({ pages }: Hit, { groups }: VolumeIndex): Part[] {
  const wanted = new Set(pages.map((page) => Math.floor(page / PAGES_OF_GROUP)));
  return [...wanted].map((group) => {
    const [offset = 0, bytes = 0] = groups[group] ?? [];
    return [offset, bytes];
  });
}

/** Memory that every row group is read into, one after the other: fresh memory costs as much as reading. */
type Scratch = (bytes: number) => Buffer;

function createScratch(): Scratch {
  let buffer = Buffer.alloc(0);
  return (bytes) => {
    if (buffer.length < bytes) buffer = Buffer.allocUnsafeSlow(bytes);
    return buffer;
  };
}

const PAGES_OF_GROUP = GROUP_ROWS / PAGE_ROWS;
const COLUMN_PLACES: Record<Role | "ip", number> = {
  sender: placeOf("sender"),
  recipient: placeOf("recipient"),
  ip: placeOf("client_ip"),
};

function volumeEntries(
  { dir, volume, index, pages, scratch }: Hit & { readonly index: VolumeIndex; readonly scratch: Scratch },
  { wanted, cipher }: { readonly wanted: readonly Wanted[]; readonly cipher: Cipher | undefined },
): Entry[] {
  const path = join(dir, parquetOf(volume));
  const groups = new Map<number, number[]>();
  for (const page of pages) {
    const group = Math.floor(page / PAGES_OF_GROUP);
    groups.set(group, [...(groups.get(group) ?? []), page % PAGES_OF_GROUP]);
  }
  const unseal = cipher?.parquetModule(path).unseal;
  return withFile(path, (read) =>
    [...groups].flatMap(([group, inGroup]) => {
      const [offset = 0, bytes = 0, rows = 0] = index.groups[group] ?? [];
      // Nothing of it is left when the next one is read: texts are copies.
      forgetUnpacked();
      const columns = columnsOf(read(offset, bytes, scratch(bytes)), index.chunksOf(group), {
        unseal,
        unpack: unpackInPlace,
      });
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
  means: Pick<ChunkBytes, "unseal" | "unpack">,
): ChunkBytes[] {
  let at = 0;
  return PARQUET_COLUMNS.map((column, index) => {
    const chunk = chunks[index];
    if (!chunk) throw new Error("the index lacks a column");
    const from = at;
    at += bytesOf(chunk.pages);
    return { ...chunk, column, ...means, unpacked: new Map(), bytes: bytes.subarray(from, at) };
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
