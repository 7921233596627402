/**
 * The hot end of the ledger: one file of lines for each hour and process, appended in group commits. A file that is only ever
 * appended to is flushed several times faster than a tree (docs/reference/ledger.md has the figures), needs no repair after a
 * crash, and leaves for the archive as it is once its hour is over.
 */
import { chmodSync, mkdirSync } from "node:fs";
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Misuse } from "../../kit/trouble.ts";
import type { Entry } from "../../ledger/entry.ts";
import type { ClosedHour, Journal, Search, Taken } from "../../ledger/journal.ts";
import { lineTest, matcher } from "../search.ts";
import { hourOf, hourOfFile, spanOf } from "./names.ts";
import { byTimeAndId, entriesOf, merged } from "./reader.ts";
import { toRow } from "./row.ts";
import { createLineWriter, type Line } from "./writer.ts";

const DEFAULT_TIMEOUT_MS = 5_000;
/** An hour is quiet so long after its end: no append waits longer. */
const QUIET_AFTER_MS = 60_000;
const DIRECTORY_MODE = 0o700;
const NOTHING: Taken = new Map();

/** A part of a file: from what is taken already to where it ends now. */
interface Stretch {
  readonly name: string;
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

/** Hours that have something that is not taken, oldest first. */
async function hoursIn(dir: string, taken: Taken): Promise<[string, Stretch[]][]> {
  const hours = new Map<string, Stretch[]>();
  for (const name of (await readdir(dir)).sort()) {
    const hour = hourOfFile(name);
    if (!hour) continue;
    const path = join(dir, name);
    const from = taken.get(name) ?? 0;
    const to = await sizeOf(path);
    if (to > from) hours.set(hour, [...(hours.get(hour) ?? []), { name, path, from, to }]);
  }
  return [...hours];
}

/** 0 for a file that is gone. */
const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

async function* find(dir: string, search: Search, taken: Taken): AsyncGenerator<Entry> {
  const matches = matcher(search);
  const { sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = search;
  const mayMatch = lineTest(search);
  for (const [hour, stretches] of await hoursIn(dir, taken)) {
    const { startMs, endMs } = spanOf(hour);
    if (endMs <= sinceMs || startMs >= untilMs) continue;
    // What is appended while we read is read, too: a search sees everything that was there when it began, or more.
    const entries = stretches.map(({ path, from }) => entriesOf(path, { from, ...(mayMatch && { mayMatch }) }));
    for await (const entry of merged(entries)) if (matches(entry)) yield entry;
  }
}

const closedHour = (hour: string, stretches: readonly Stretch[]): ClosedHour => ({
  hour,
  taken: new Map(stretches.map(({ name, to }) => [name, to])),
  read: () => merged(stretches.map(({ path, from, to }) => entriesOf(path, { from, to }))),
});

async function forget(dir: string, taken: Taken, release: (hour: string) => Promise<void>): Promise<void> {
  for (const [name, to] of taken) {
    const hour = hourOfFile(name);
    if (!hour) continue;
    const path = join(dir, name);
    if ((await sizeOf(path)) !== to) continue;
    await release(hour);
    await unlink(path);
  }
}

const lineOf = (entry: Entry): Line => ({ hour: hourOf(entry.at), text: `${toRow(entry)}\n` });

/**
 * Opens the journal of this machine; several processes may.
 *
 * @param dir its own directory, made when absent
 * @param options timeoutMs: longest wait for one append
 * @throws Misuse when the directory cannot be ours
 */
export async function openJournal(dir: string, options: { timeoutMs?: number } = {}): Promise<Journal> {
  try {
    mkdirSync(dir, { recursive: true, mode: DIRECTORY_MODE });
    chmodSync(dir, DIRECTORY_MODE);
  } catch (error) {
    throw new Misuse(`cannot use ${dir}: ${(error as Error).message}`);
  }
  const writer = createLineWriter(dir, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  return {
    async append(entries, when = "now") {
      const sorted = entries.length > 1 ? [...entries].sort(byTimeAndId) : entries;
      if (entries.length > 0) await writer.append(sorted.map(lineOf), when);
    },
    find: (search, taken = NOTHING) => find(dir, search, taken),
    async sources() {
      return (await readdir(dir)).sort().flatMap((name) => {
        const hour = hourOfFile(name);
        return hour === undefined ? [] : [{ name, hour }];
      });
    },
    async closedHours(nowMs, taken = NOTHING) {
      const hours = await hoursIn(dir, taken);
      const over = hours.filter(([hour]) => spanOf(hour).endMs + QUIET_AFTER_MS <= nowMs);
      return over.map(([hour, stretches]) => closedHour(hour, stretches));
    },
    forget: (taken) => forget(dir, taken, writer.release),
    close: () => writer.close(),
  };
}
