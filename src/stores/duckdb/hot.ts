/**
 * What matches in the journal, together with the days of the archive as they are at the same moment: when an hour moves while we look, we
 * look again. A few entries stay in memory, more go to a file.
 */
import { createReadStream } from "node:fs";
import { appendFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Unavailable } from "../../kit/trouble.ts";
import type { Entry } from "../../ledger/entry.ts";
import type { Journal, Search, Source, Taken } from "../../ledger/journal.ts";
import { type Day, readCatalog, takenIn } from "./catalog.ts";
import { spanOf } from "./plan.ts";

export interface Snapshot {
  readonly days: readonly Day[];
  readonly hot: HotEntries;
}

/** Entries of the journal, oldest first; to be read as often as one likes. */
export interface HotEntries {
  readonly count: number;
  [Symbol.asyncIterator](): AsyncIterator<Entry>;
  drop(): Promise<void>;
}

const HELD_MAX = 2_000;
const TRIES = 5;

export interface SnapshotOptions {
  readonly root: string;
  /** undefined: only the archive is asked. */
  readonly journal: Journal | undefined;
  /** A private directory, for what does not stay in memory. */
  dir(): Promise<string>;
}

let made = 0;

export async function takeSnapshot(search: Search, { root, journal, dir }: SnapshotOptions): Promise<Snapshot> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const days = await readCatalog(root, spanOf(search));
    const sources = (await journal?.sources()) ?? [];
    const taken = await takenOf(sources, root);
    made += 1;
    const name = `hot-${made}.jsonl`;
    const hot = await collect(journal?.find(search, taken) ?? none(), async () => join(await dir(), name));
    if (same(taken, await takenOf(sources, root))) return { days, hot };
    await hot.drop();
  }
  throw new Unavailable("ledger", "the ledger is being put in order: hours kept moving into the archive");
}

async function* none(): AsyncGenerator<Entry> {}

/** What the archive has of the journal: of any node, as a name of a source is used only once. */
async function takenOf(sources: readonly Source[], root: string): Promise<Taken> {
  const dates = [...new Set(sources.map(({ hour }) => hour.slice(0, 10)))];
  const days = await Promise.all(dates.map((date) => readCatalog(root, { first: date, last: date })));
  const all = takenIn(days.flat());
  return new Map(sources.flatMap(({ name }) => (all.has(name) ? [[name, all.get(name) ?? 0]] : [])));
}

const same = (a: Taken, b: Taken): boolean => a.size === b.size && [...a].every(([name, to]) => b.get(name) === to);

async function collect(entries: AsyncIterable<Entry>, pathOf: () => Promise<string>): Promise<HotEntries> {
  let held: Entry[] = [];
  let count = 0;
  let path: string | undefined;
  for await (const entry of entries) {
    held.push(entry);
    count += 1;
    if (held.length < HELD_MAX) continue;
    path ??= await pathOf();
    await spill(held, path);
    held = [];
  }
  if (path === undefined) return { count, [Symbol.asyncIterator]: () => fromMemory(held), drop: async () => {} };
  const file = path;
  await spill(held, file);
  return { count, [Symbol.asyncIterator]: () => fromFile(file), drop: () => unlink(file).catch(() => undefined) };
}

const spill = (entries: readonly Entry[], path: string): Promise<void> =>
  appendFile(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""), { mode: 0o600 });

async function* fromMemory(entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries;
}

async function* fromFile(path: string): AsyncGenerator<Entry> {
  for await (const line of createInterface({ input: createReadStream(path) })) yield JSON.parse(line) as Entry;
}
