/**
 * The hot end of the ledger: one file of lines for each hour and process, appended in group commits. A file that is only ever
 * appended to is flushed several times faster than a tree (docs/reference/ledger.md has the figures), needs no repair after a
 * crash, and leaves for the archive as it is once its hour is over.
 */
import { chmodSync, mkdirSync } from "node:fs";
import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Misuse } from "../../kit/trouble.ts";
import type { Entry } from "../../ledger/entry.ts";
import type { ClosedHour, Journal, Search } from "../../ledger/journal.ts";
import { matcher } from "../search.ts";
import { hourOf, hourOfFile, spanOf } from "./names.ts";
import { byTimeAndId, entriesOf, merged } from "./reader.ts";
import { toRow } from "./row.ts";
import { createLineWriter, type Line } from "./writer.ts";

const DEFAULT_TIMEOUT_MS = 5_000;
/** An hour is quiet so long after its end: no append waits longer. */
const QUIET_AFTER_MS = 60_000;
const DIRECTORY_MODE = 0o700;

/** Hours that have files, oldest first, each with the files' paths. */
async function hoursIn(dir: string): Promise<[string, string[]][]> {
  const hours = new Map<string, string[]>();
  for (const name of (await readdir(dir)).sort()) {
    const hour = hourOfFile(name);
    if (hour) hours.set(hour, [...(hours.get(hour) ?? []), join(dir, name)]);
  }
  return [...hours];
}

async function* find(dir: string, search: Search): AsyncGenerator<Entry> {
  const matches = matcher(search);
  const { sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY, id } = search;
  for (const [hour, paths] of await hoursIn(dir)) {
    const { startMs, endMs } = spanOf(hour);
    if (endMs <= sinceMs || startMs >= untilMs) continue;
    for await (const entry of merged(paths.map((path) => entriesOf(path, id)))) if (matches(entry)) yield entry;
  }
}

const closedHour = (hour: string, paths: readonly string[], release: (hour: string) => Promise<void>): ClosedHour => ({
  hour,
  read: () => merged(paths.map((path) => entriesOf(path, undefined))),
  async drop() {
    await release(hour);
    for (const path of paths) await unlink(path);
  },
});

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
    find: (search) => find(dir, search),
    async closedHours(nowMs) {
      const over = (await hoursIn(dir)).filter(([hour]) => spanOf(hour).endMs + QUIET_AFTER_MS <= nowMs);
      return over.map(([hour, paths]) => closedHour(hour, paths, writer.release));
    },
    close: () => writer.close(),
  };
}
