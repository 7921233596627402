/** The ledger as a whole: the journal's entries and the archive's, as one stream in the order of time. */
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Misuse, Unavailable } from "../../kit/trouble.ts";
import type { Entry } from "../../ledger/entry.ts";
import type { Journal, Search } from "../../ledger/journal.ts";
import type { DayCount, LedgerReader, Reading } from "../../ledger/query.ts";
import type { Day } from "./catalog.ts";
import { FOR_ENTRY, IN_FULL, toEntry } from "./columns.ts";
import { type Database, literal, openDatabase } from "./database.ts";
import { type Snapshot, takeSnapshot } from "./hot.ts";
import { dateOf } from "./layout.ts";
import { linesAsRows, writeLines } from "./part.ts";
import { isNarrow, rowsSql } from "./plan.ts";

export interface ReaderOptions {
  /** Directory of the archive. */
  readonly root: string;
  /** undefined: only what is archived. */
  readonly journal: Journal | undefined;
  readonly tempDir: string;
  readonly memoryMb: number;
  readonly threads?: number;
}

/** Of its memory; what several threads unpack at a time comes on top of what DuckDB counts. */
const SHARE = 0.75;

export async function openReader(options: ReaderOptions): Promise<LedgerReader> {
  const database = await openDatabase({ ...options, memoryMb: Math.ceil(options.memoryMb * SHARE) });
  const snapshot = (search: Search): Promise<Snapshot> =>
    takeSnapshot(search, { root: options.root, journal: options.journal, dir: database.dir });
  return {
    find: (search, reading = {}) => named(find(search, reading, { database, snapshot })),
    count: (search) => count(search, { database, snapshot }),
    write: (search, path, format) => write(search, path, { format, database, snapshot }),
    close: () => database.close(),
  };
}

interface Tools {
  readonly database: Database;
  snapshot(search: Search): Promise<Snapshot>;
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
  const { days, hot } = await snapshot(search);
  try {
    const { limit = Number.POSITIVE_INFINITY } = reading;
    const archived = isNarrow(search) ? rowsOf(search, days, database) : dayByDay(search, days, { database, reading });
    let left = limit;
    for await (const entry of inTimeOrder(inIdOrder(archived), hot)) {
      if (left <= 0) return;
      left -= 1;
      yield entry;
    }
  } finally {
    await hot.drop();
  }
}

async function* rowsOf(search: Search, days: readonly Day[], database: Database): AsyncGenerator<Entry> {
  const rows = await rowsSql(search, days, database);
  if (rows === undefined) return;
  for await (const some of database.stream(`SELECT ${FOR_ENTRY} FROM (${rows}) ORDER BY "at"`)) {
    for (const row of some) yield toEntry(row);
  }
}

/** One day after the other, so that only one has to be put in order at a time. */
async function* dayByDay(
  search: Search,
  days: readonly Day[],
  { database, reading }: { database: Database; reading: Reading },
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
  const { days, hot } = await snapshot(search);
  const counts = new Map<string, DayCount>();
  const add = ({ date, event, verdict, entries }: DayCount): void => {
    const key = [date, event, verdict ?? ""].join(" ");
    const known = counts.get(key)?.entries ?? 0;
    counts.set(key, { date, event, ...(verdict !== undefined && { verdict }), entries: known + entries });
  };
  try {
    const known = days.filter((day) => fromSeals(search, day));
    for (const { date, volumes } of known) {
      for (const { seal } of volumes) for (const each of seal.counts) add({ date, ...each });
    }
    const others = days.filter((day) => !known.includes(day));
    for (const each of await countRows(search, others, database)) add(each);
    for await (const { at, event, verdict } of hot) {
      add({ date: dateOf(at), event, ...(verdict !== undefined && { verdict }), entries: 1 });
    }
  } catch (error) {
    throw asTrouble(error);
  } finally {
    await hot.drop();
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

async function countRows(search: Search, days: readonly Day[], database: Database): Promise<DayCount[]> {
  const rows = await rowsSql(search, days, database);
  if (rows === undefined) return [];
  const found = await database.rows(
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
const FORMATS = { parquet: "FORMAT parquet, COMPRESSION zstd", csv: "FORMAT csv, HEADER" };

interface Writing extends Tools {
  readonly format: keyof typeof FORMATS;
}

async function write(search: Search, path: string, { format, database, snapshot }: Writing): Promise<number> {
  const { days, hot } = await snapshot(search);
  const lines = join(database.dir, "export.jsonl");
  try {
    await rm(lines, { force: true });
    const hotCount = await writeLines(hot, lines);
    const archived = await rowsSql(search, days, database);
    const sources = [
      ...(archived === undefined ? [] : [archived]),
      ...(hotCount > 0 || !archived ? [linesAsRows(lines)] : []),
    ];
    const ordered = `SELECT ${IN_FULL} FROM (${sources.join(" UNION ALL BY NAME ")}) ORDER BY "at", id`;
    const selected = format === "csv" ? `SELECT ${FOR_CSV} FROM (${ordered})` : ordered;
    return await intoNewFile(path, async () => {
      const copy = `COPY (${selected}) TO ${literal(path)} (${FORMATS[format]}, USE_TMP_FILE false)`;
      const [[written] = []] = await database.rows(copy);
      return Number(written);
    });
  } catch (error) {
    throw asTrouble(error);
  } finally {
    await rm(lines, { force: true });
    await hot.drop();
  }
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
