/**
 * The hot end of the ledger in an LMDB environment of its own, so that a flood of entries does not hold up consents.
 *
 * Everything appended while a commit is on its way to disk goes into the next one together, as one record: a *sheet* of
 * entries, a line each, under the time of its first. One record a commit instead of several an entry is what makes a durable
 * ledger cheap; a search reads sheets and cuts. A sheet spans at most a minute, so a search knows how far back to begin.
 */
import { randomUUID } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import { ID_FORM, idTimeMs } from "../../kit/ids.ts";
import type { Entry } from "../../ledger/entry.ts";
import type { Journal, Search } from "../../ledger/journal.ts";
import { matcher } from "../search.ts";
import { fromRow, toRow } from "./entry-row.ts";
import { Environment } from "./environment.ts";
import { keyOf, timeBytes } from "./keys.ts";

type Names = "sheets";

const SHEET_SPAN_MS = 60_000;
const SHEET_ENTRIES_MAX = 2_000;
/** Sheets read without letting anybody else in between. */
const BATCH_SHEETS = 32;
const DEFAULT_TIMEOUT_MS = 5_000;
const PAST_ALL_TIMES = Buffer.alloc(7, 0xff);

/** One append that waits for its commit. */
interface Waiting {
  readonly entries: readonly Entry[];
  resolve(): void;
  reject(error: unknown): void;
}

const byTimeAndId = (a: Entry, b: Entry): number => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** Cuts entries, oldest first, into sheets. */
function sheetsOf(entries: readonly Entry[]): Entry[][] {
  const sheets: Entry[][] = [];
  let sheet: Entry[] = [];
  for (const entry of entries) {
    const first = sheet[0];
    if (!first || entry.at - first.at >= SHEET_SPAN_MS || sheet.length >= SHEET_ENTRIES_MAX) {
      sheet = [];
      sheets.push(sheet);
    }
    sheet.push(entry);
  }
  return sheets;
}

interface Writer {
  append(entries: readonly Entry[]): Promise<void>;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

/** Gathers appends and writes them sheet by sheet, one commit at a time. */
function createWriter(environment: Environment<Names>): Writer {
  /** Sheets of different writers never meet under one key. */
  const run = randomUUID();
  let count = 0;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const entries = batch.flatMap((each) => each.entries).sort(byTimeAndId);
      const rows = sheetsOf(entries).map((sheet) => ({
        key: Buffer.concat([timeBytes(sheet[0]?.at ?? 0), keyOf(run, String(count++))]),
        text: sheet.map(toRow).join("\n"),
      }));
      try {
        await environment.write(({ sheets }) => {
          for (const { key, text } of rows) void sheets.put(key, text);
        }, rows.length);
        for (const each of batch) each.resolve();
      } catch (error) {
        for (const each of batch) each.reject(error);
      }
    }
    writing = undefined;
  };
  return {
    append: (entries) =>
      new Promise((resolve, reject) => {
        waiting.push({ entries, resolve, reject });
        writing ??= writeAll();
      }),
    idle: async () => writing,
  };
}

/** Where a search may begin: an id tells its time, and a sheet begins at most a minute before its last entry. */
function beginMs({ sinceMs = 0, id }: Search): number {
  const fromId = id !== undefined && ID_FORM.test(id) ? idTimeMs(id) - SHEET_SPAN_MS : 0;
  return Math.max(0, Math.max(sinceMs, fromId) - SHEET_SPAN_MS);
}

/** Sheets from a time on, in batches; no transaction stays open while somebody reads. */
async function* sheetsFrom(
  environment: Environment<Names>,
  search: Search,
): AsyncGenerator<{ at: number; text: string }> {
  let start = timeBytes(beginMs(search));
  const end = search.untilMs === undefined ? PAST_ALL_TIMES : timeBytes(search.untilMs);
  while (true) {
    const range = { start, end, exclusiveStart: true, limit: BATCH_SHEETS };
    const batch = await environment.read(({ sheets }) => [...sheets.getRange(range)]);
    for (const { key, value } of batch) yield { at: key.readUIntBE(0, 6), text: value };
    const last = batch.at(-1);
    if (!last || batch.length < BATCH_SHEETS) return;
    start = Buffer.from(last.key);
    await breathe();
  }
}

/** Lines that hold the id somewhere; only those are worth reading as entries. */
const candidates = (text: string, id: string | undefined): string[] => {
  if (id === undefined) return text.split("\n");
  return text.includes(id) ? text.split("\n").filter((line) => line.includes(id)) : [];
};

/** Sheets of several processes overlap: an entry is let go when no sheet to come can hold an older one. */
async function* inOrder(sheets: AsyncIterable<{ at: number; text: string }>, search: Search): AsyncGenerator<Entry> {
  const matches = matcher(search);
  let held: Entry[] = [];
  for await (const { at, text } of sheets) {
    const ready = held.filter((entry) => entry.at < at);
    if (ready.length > 0) {
      held = held.filter((entry) => entry.at >= at);
      yield* unique(ready);
    }
    for (const line of candidates(text, search.id)) {
      const entry = fromRow(line);
      if (matches(entry)) held.push(entry);
    }
  }
  yield* unique(held);
}

/** Sorted, and an entry that was appended twice once. */
function* unique(entries: Entry[]): Generator<Entry> {
  let last: string | undefined;
  for (const entry of entries.sort(byTimeAndId)) {
    if (entry.id !== last) yield entry;
    last = entry.id;
  }
}

/**
 * Opens the journal of this machine; several processes may.
 *
 * @param dir its own directory, made when absent
 * @param options timeoutMs: longest wait for one append
 * @throws Misuse when the directory cannot be ours, Unavailable("ledger") when the disk fails
 */
export async function openJournal(dir: string, options: { timeoutMs?: number } = {}): Promise<Journal> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const names: readonly Names[] = ["sheets"];
  const environment = new Environment({ dir, names, dependency: "ledger", timeoutMs });
  const writer = createWriter(environment);
  return {
    async append(entries) {
      if (entries.length > 0) await writer.append(entries);
    },
    find: (search) => inOrder(sheetsFrom(environment, search), search),
    async close() {
      await writer.idle();
      await environment.close();
    },
  };
}
