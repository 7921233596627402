/**
 * Look-ups of an address or a client's IP, without DuckDB: the index of each volume names the pages that may have it, and only those are
 * read. DuckDB unpacks whole row groups, 5 to 8 ms of processor time for each that has a hit, and a recipient has one in hundreds.
 */
import { setImmediate as breathe } from "node:timers/promises";
import type { Entry } from "../../ledger/entry.ts";
import type { Search } from "../../ledger/journal.ts";
import type { Volume } from "./catalog.ts";
import { createCipher } from "./cipher.ts";
import { openUnpacker } from "./parquet/unpack.ts";
import { createPointPool } from "./point-pool.ts";
import {
  createHitReader,
  createIndexCache,
  type Hit,
  type HitReader,
  type IndexCache,
  type VolumePlace,
  type Wanted,
  wantedOf,
} from "./point-read.ts";
import type { VolumeIndex } from "./volume-index.ts";

/** Of one volume; where more pages matter, DuckDB reads all of it as fast, and puts what it finds in order without holding it. */
const PAGES_MAX = 64;

/** Fewer pages are read sooner than they are handed to a thread. */
const PAGES_WORTH_THREADS = 24;
/** For so many it is worth it to start threads at once; for fewer they start when a search is over, for the next one. */
const PAGES_WORTH_STARTING = 1_000;
/** A day with more is read by this process: its entries may be more than a thread has memory for. */
const PAGES_FOR_THREAD = 16;
/** Days that are read ahead of the one that is shown. */
const AHEAD = 12;
/** Days that the disk is asked for at a time, by a process that reads alone. */
const EXPECTED = 8;

export interface PointReader {
  plan(search: Search, volumes: readonly Volume[]): PointPlan;
  /** One day after the other; the entries of one in the order of time and ids. */
  entries(search: Search, hits: readonly Hit[]): AsyncGenerator<Entry>;
  close(): Promise<void>;
}

/** The volumes whose index tells which pages a search has to read, with those pages; and the others. */
export interface PointPlan {
  readonly hits: readonly Hit[];
  readonly others: readonly Volume[];
}

/** @param archiveKey for an encrypted archive @param threads at most so many read at once */
export function createPointReader(archiveKey: Uint8Array | undefined, threads: number): PointReader {
  const cipher = archiveKey && createCipher(archiveKey);
  const cache = createIndexCache(cipher);
  const own = createHitReader(cache, cipher);
  const pool = createPointPool(threads, archiveKey);
  // While whoever asks gets ready; a search waits for it.
  openUnpacker().catch(() => undefined);
  return {
    plan: (search, volumes) => planPoint(search, volumes, cache),
    async *entries(search, hits) {
      if (hits.length === 0) return;
      const days = byDate(hits);
      const pages = pagesOf(hits);
      const expect = expecting(days, own);
      expect(0);
      await openUnpacker();
      if (pages >= PAGES_WORTH_STARTING) pool.start();
      const here = async (day: readonly Hit[]): Promise<Entry[]> => own.read(search, day);
      const read = (day: readonly Hit[], index: number): Promise<Entry[]> => {
        if (pagesOf(day) <= PAGES_FOR_THREAD && pool.hasRoom()) return pool.read(search, day).catch(() => here(day));
        // Threads do that by being several.
        if (!pool.isReady()) expect(index);
        return here(day);
      };
      yield* inOrder(days, read, () => (pool.isReady() ? AHEAD : 1));
      // Whoever asks no more has closed it by then.
      if (pages >= PAGES_WORTH_THREADS) setImmediate(pool.start);
    },
    close: () => pool.close(),
  };
}

/** Has the days after one read into the page cache, each once. */
function expecting(days: readonly Hit[][], reader: Pick<HitReader, "expect">): (day: number) => void {
  let expected = 0;
  return (day) => {
    for (; expected < Math.min(days.length, day + EXPECTED); expected += 1) reader.expect(days[expected] ?? []);
  };
}

const pagesOf = (hits: readonly Hit[]): number => hits.reduce((sum, { pages }) => sum + pages.length, 0);

function byDate(hits: readonly Hit[]): Hit[][] {
  const dates = new Map<string, Hit[]>();
  for (const hit of hits) dates.set(hit.date, [...(dates.get(hit.date) ?? []), hit]);
  return [...dates].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, day]) => day);
}

/** @param ahead how many days to have read, or begun, at this moment; what nobody else has room for is read here and now */
async function* inOrder(
  days: readonly Hit[][],
  read: (day: readonly Hit[], index: number) => Promise<Entry[]>,
  ahead: () => number,
): AsyncGenerator<Entry> {
  const reading: Promise<Entry[]>[] = [];
  let next = 0;
  for (let shown = 0; shown < days.length; shown += 1) {
    while (next < days.length && (reading.length === 0 || reading.length < ahead())) {
      const day = read(days[next] ?? [], next);
      // Its turn comes later; whoever stops before does not want to hear of it.
      day.catch(() => undefined);
      reading.push(day);
      next += 1;
      // Threads are heard, and others who work in this process get their turn.
      await breathe();
    }
    yield* (await reading.shift()) ?? [];
  }
}

const placeOfVolume = ({ path, seal, digest }: Volume): VolumePlace => ({
  dir: path.dir,
  volume: seal.volume,
  date: seal.date,
  digest,
});

/** An index that cannot be read only costs the time it would have saved. */
function planPoint(search: Search, volumes: readonly Volume[], cache: IndexCache): PointPlan {
  const wanted = wantedOf(search);
  if (!wanted) return { hits: [], others: volumes };
  const hits: Hit[] = [];
  const others: Volume[] = [];
  for (const volume of volumes) {
    try {
      const place = placeOfVolume(volume);
      const index = cache.of(place);
      const pages = wanted.map((each) => pagesWith(each, index)).reduce(inBoth);
      if (pages.length > PAGES_MAX) others.push(volume);
      else if (pages.length > 0) hits.push({ ...place, pages });
    } catch {
      others.push(volume);
    }
  }
  return { hits, others };
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
