/** The ledger as a whole: the journal's entries and the archive's, as one stream in the order of time. */
import { open, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Misuse, Unavailable } from "../../kit/trouble.ts";
import type { Entry } from "../../ledger/entry.ts";
import type { Journal, Search } from "../../ledger/journal.ts";
import type { DayCount, LedgerReader, Reading } from "../../ledger/query.ts";
import { createCatalog, type Day } from "./catalog.ts";
import { FOR_ENTRY, IN_FULL, toEntry } from "./columns.ts";
import { countSql, type Database, literal, openDatabase } from "./database.ts";
import { type Snapshot, takeSnapshot } from "./hot.ts";
import { dateOf } from "./layout.ts";
import { linesAsRows, writeLines } from "./part.ts";
import { isNarrow, rowsSql } from "./plan.ts";
import { createPointReader } from "./point.ts";

export interface ReaderOptions {
  /** Directory of the archive. */
  readonly root: string;
  /** undefined: only what is archived. */
  readonly journal: Journal | undefined;
  readonly tempDir: string;
  readonly memoryMb: number;
  readonly threads?: number;
  /** 32 bytes; for an archive that is encrypted. */
  readonly archiveKey?: Uint8Array;
}

/** Of its memory; what several threads unpack at a time comes on top of what DuckDB counts. */
const SHARE = 0.75;
/** That read for look-ups, beside this one. */
const THREADS_MAX = 2;

/** DuckDB is opened when a search needs it: a look-up of an address or IP does not. */
export async function openReader(options: ReaderOptions): Promise<LedgerReader> {
  const { root, journal, memoryMb, archiveKey } = options;
  let opened: Promise<Database> | undefined;
  const database = (): Promise<Database> => {
    opened ??= openDatabase({ ...options, memoryMb: Math.ceil(memoryMb * SHARE) });
    return opened;
  };
  const catalog = createCatalog(root);
  const points = createPointReader(archiveKey, options.threads ?? Math.min(THREADS_MAX, availableParallelism()));
  const tools: Tools = {
    database,
    async snapshot(search) {
      const { days, hot } = await takeSnapshot(search, { catalog, journal, dir: async () => (await database()).dir });
      const { hits, others } = points.plan(
        search,
        days.flatMap(({ volumes }) => volumes),
      );
      const scanned = days.map((day) => ({ ...day, volumes: day.volumes.filter((volume) => others.includes(volume)) }));
      return { days, hot, scanned, point: () => points.entries(search, hits) };
    },
  };
  return {
    find: (search, reading = {}) => named(find(search, reading, tools)),
    count: (search) => count(search, tools),
    write: (search, path, format) => write(search, path, { format, ...tools }),
    async close() {
      await points.close();
      await (await opened)?.close();
    },
  };
}

/** What a search has to look at. */
interface Parts extends Snapshot {
  /** The days, with only those volumes that DuckDB has to look through. */
  readonly scanned: readonly Day[];
  /** What matches in the others. */
  point(): AsyncGenerator<Entry>;
}

interface Tools {
  database(): Promise<Database>;
  snapshot(search: Search): Promise<Parts>;
}

/** DuckDB's own errors become ours: the archive cannot be read. */
async function* named<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    throw asTrouble(error);
  }
}

function asTrouble(error: unknown): unknown {
  if (error instanceof Unavailable || error instanceof Misuse) return error;
  const { message } = error as Error;
  // Days that go, and hours whose day was sealed long ago, may go from under a search that takes its time.
  const why = /No files found|No such file/i.test(message)
    ? "the archive was put in order meanwhile: ask again"
    : `the archive cannot be read: ${message.split("\n")[0]}`;
  return new Unavailable("ledger", why, error);
}

async function* find(search: Search, reading: Reading, { database, snapshot }: Tools): AsyncGenerator<Entry> {
  const { scanned, point, hot } = await snapshot(search);
  try {
    const { limit = Number.POSITIVE_INFINITY } = reading;
    const rows = isNarrow(search)
      ? rowsOf(search, scanned, database)
      : dayByDay(search, scanned, { database, reading });
    let left = limit;
    for await (const entry of inTimeOrder(inTimeOrder(point(), inIdOrder(rows)), hot)) {
      if (left <= 0) return;
      left -= 1;
      yield entry;
    }
  } finally {
    await hot.drop();
  }
}

async function* rowsOf(search: Search, days: readonly Day[], database: Tools["database"]): AsyncGenerator<Entry> {
  if (!hasFiles(days)) return;
  const opened = await database();
  const rows = await rowsSql(search, days, opened);
  if (rows === undefined) return;
  for await (const some of opened.stream(`SELECT ${FOR_ENTRY} FROM (${rows}) ORDER BY "at"`)) {
    for (const row of some) yield toEntry(row);
  }
}

const hasFiles = (days: readonly Day[]): boolean =>
  days.some(({ volumes, parts }) => volumes.length > 0 || parts.some(({ rows }) => rows > 0));

/** One day after the other, so that only one has to be put in order at a time. */
async function* dayByDay(
  search: Search,
  days: readonly Day[],
  { database, reading }: Pick<Tools, "database"> & { readonly reading: Reading },
): AsyncGenerator<Entry> {
  const dates = [...new Set(days.map(({ date }) => date))];
  let done = 0;
  for (const date of dates) {
    yield* rowsOf(
      search,
      days.filter((day) => day.date === date),
      database,
    );
    done += 1;
    reading.onDay?.(done, dates.length);
  }
}

const byId = (a: Entry, b: Entry): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** Entries of one millisecond in the order of their ids, which the archive does not have in full. */
async function* inIdOrder(entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
  let same: Entry[] = [];
  for await (const entry of entries) {
    if (same.length > 0 && same[0]?.at !== entry.at) {
      yield* same.sort(byId);
      same = [];
    }
    same.push(entry);
  }
  yield* same.sort(byId);
}

/** Two streams that are in order, as one. */
async function* inTimeOrder(first: AsyncIterable<Entry>, second: AsyncIterable<Entry>): AsyncGenerator<Entry> {
  const rest = second[Symbol.asyncIterator]();
  let other = await rest.next();
  try {
    for await (const entry of first) {
      while (!other.done && (other.value.at < entry.at || (other.value.at === entry.at && other.value.id < entry.id))) {
        yield other.value;
        other = await rest.next();
      }
      yield entry;
    }
    for (; !other.done; other = await rest.next()) yield other.value;
  } finally {
    await rest.return?.();
  }
}

/** Nothing but whole days is asked for: the seals have the answer. */
function fromSeals({ sinceMs, untilMs, ...rest }: Search, { date, parts }: Day): boolean {
  if (Object.keys(rest).length > 0 || parts.length > 0) return false;
  const beginMs = Date.parse(date);
  return (sinceMs ?? 0) <= beginMs && (untilMs ?? Number.POSITIVE_INFINITY) >= beginMs + DAY_MS;
}

const DAY_MS = 86_400_000;

async function count(search: Search, { database, snapshot }: Tools): Promise<readonly DayCount[]> {
  const { days, scanned, point, hot } = await snapshot(search);
  const counts = new Map<string, DayCount>();
  const add = ({ date, event, verdict, entries }: DayCount): void => {
    const key = [date, event, verdict ?? ""].join(" ");
    const known = counts.get(key)?.entries ?? 0;
    counts.set(key, { date, event, ...(verdict !== undefined && { verdict }), entries: known + entries });
  };
  const addEntry = ({ at, event, verdict }: Entry): void =>
    add({ date: dateOf(at), event, ...(verdict !== undefined && { verdict }), entries: 1 });
  try {
    const known = new Set(days.filter((day) => fromSeals(search, day)).map(({ dir }) => dir));
    for (const { date, dir, volumes } of days) {
      for (const { seal } of known.has(dir) ? volumes : []) for (const each of seal.counts) add({ date, ...each });
    }
    const others = scanned.filter(({ dir }) => !known.has(dir));
    for (const each of await countRows(search, others, database)) add(each);
    for await (const entry of point()) addEntry(entry);
    for await (const entry of hot) addEntry(entry);
  } catch (error) {
    throw asTrouble(error);
  } finally {
    await hot.drop();
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

async function countRows(search: Search, days: readonly Day[], database: Tools["database"]): Promise<DayCount[]> {
  if (!hasFiles(days)) return [];
  const opened = await database();
  const rows = await rowsSql(search, days, opened);
  if (rows === undefined) return [];
  const found = await opened.rows(
    `SELECT strftime("at", '%Y-%m-%d'), event, verdict, count(*)::DOUBLE FROM (${rows}) GROUP BY ALL`,
  );
  return found.map(([date, event, verdict, entries]) => ({
    date: String(date),
    event: String(event),
    ...(typeof verdict === "string" && { verdict }),
    entries: Number(entries),
  }));
}

/** In CSV times as ISO 8601, and lists with "; " between their items. */
const FOR_CSV =
  "* REPLACE (strftime(\"at\", '%Y-%m-%dT%H:%M:%S.%gZ') AS \"at\", array_to_string(rules, '; ') AS rules, array_to_string(articles, '; ') AS articles, array_to_string(packs, '; ') AS packs)";
const FORMATS = { parquet: "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 16384", csv: "FORMAT csv, HEADER" };

interface Writing extends Tools {
  readonly format: keyof typeof FORMATS;
}

async function write(search: Search, path: string, { format, database, snapshot }: Writing): Promise<number> {
  const { scanned, point, hot } = await snapshot(search);
  const opened = await database();
  const lines = join(opened.dir, "export.jsonl");
  try {
    await rm(lines, { force: true });
    const count = await writeLines(oneAfterTheOther(point(), hot), lines);
    const archived = await rowsSql(search, scanned, opened);
    const sources = [
      ...(archived === undefined ? [] : [archived]),
      ...(count > 0 || !archived ? [linesAsRows(lines)] : []),
    ];
    const ordered = `SELECT ${IN_FULL} FROM (${sources.join(" UNION ALL BY NAME ")}) ORDER BY "at", id`;
    const selected = format === "csv" ? `SELECT ${FOR_CSV} FROM (${ordered})` : ordered;
    return await intoNewFile(path, async () => {
      const copy = `COPY (${selected}) TO ${literal(path)} (${FORMATS[format]}, USE_TMP_FILE false)`;
      const [[rows] = []] = await opened.rows(countSql(ordered));
      const [[written] = []] = await opened.sorting(Number(rows), () => opened.rows(copy));
      return Number(written);
    });
  } catch (error) {
    throw asTrouble(error);
  } finally {
    await rm(lines, { force: true });
    await hot.drop();
  }
}

async function* oneAfterTheOther<T>(...all: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  for (const each of all) yield* each;
}

/** For our eyes only from the first byte on; gone again when it does not become whole. @throws Misuse when it cannot be made */
async function intoNewFile<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    throw new Misuse(`cannot make ${path}: ${(error as NodeJS.ErrnoException).code ?? "failed"}`);
  }
  try {
    return await write();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
