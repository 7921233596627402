/** Reads hour files: whole lines only, so that what a crash cut off at the end of a file is as if it had never been. */
import { createReadStream } from "node:fs";
import type { Entry } from "../../ledger/entry.ts";
import { fromRow } from "./row.ts";

const PIECE_BYTES = 256 * 1024;

/** Appends that waited for the disk together land a little out of order; none waits longer than this. */
const DISORDER_MS = 10_000;

/** Which part of a file is read. */
export interface Extent {
  /** Bytes to leave out at the front: whole lines. */
  readonly from?: number;
  /** Where reading ends; absent: at the end of the file. */
  readonly to?: number;
  /** Says of a line's text that it cannot be meant, which is cheaper than to read it. */
  readonly mayMatch?: (line: string) => boolean;
}

/** Entries of a file, oldest first. A file that is gone has none. */
export async function* entriesOf(path: string, extent: Extent = {}): AsyncGenerator<Entry> {
  const held: Entry[] = [];
  let newest = Number.NEGATIVE_INFINITY;
  for await (const entry of asWritten(path, extent)) {
    held.push(entry);
    newest = Math.max(newest, entry.at);
    if (held.length < 1_000 || newest - (held[0] as Entry).at < 2 * DISORDER_MS) continue;
    held.sort(byTimeAndId);
    const cut = held.findIndex(({ at }) => at > newest - DISORDER_MS);
    yield* held.splice(0, cut);
  }
  yield* held.sort(byTimeAndId);
}

async function* asWritten(path: string, { from = 0, to, mayMatch }: Extent): AsyncGenerator<Entry> {
  if (to !== undefined && to <= from) return;
  for await (const line of linesOf(path, { start: from, ...(to !== undefined && { end: to - 1 }) })) {
    if (mayMatch && !mayMatch(line)) continue;
    const entry = fromRow(line);
    if (entry) yield entry;
  }
}

async function* linesOf(path: string, range: { start: number; end?: number }): AsyncGenerator<string> {
  let carry: Buffer | undefined;
  try {
    for await (const piece of createReadStream(path, { ...range, highWaterMark: PIECE_BYTES })) {
      const bytes: Buffer = carry ? Buffer.concat([carry, piece as Buffer]) : (piece as Buffer);
      const end = bytes.lastIndexOf(10);
      carry = end + 1 < bytes.length ? bytes.subarray(end + 1) : undefined;
      if (end >= 0) yield* bytes.toString("utf8", 0, end).split("\n");
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

export const byTimeAndId = (a: Entry, b: Entry): number => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

/** Several files of one hour as one, oldest first; an entry that was appended twice comes once. */
export async function* merged(sources: readonly AsyncGenerator<Entry>[]): AsyncGenerator<Entry> {
  const heads: { entry: Entry; rest: AsyncGenerator<Entry> }[] = [];
  const advance = async (rest: AsyncGenerator<Entry>): Promise<void> => {
    const { done, value } = await rest.next();
    if (!done) heads.push({ entry: value, rest });
  };
  try {
    for (const source of sources) await advance(source);
    let last: string | undefined;
    while (heads.length > 0) {
      let first = 0;
      for (let index = 1; index < heads.length; index += 1) {
        if (byTimeAndId((heads[index] as Head).entry, (heads[first] as Head).entry) < 0) first = index;
      }
      const [head] = heads.splice(first, 1) as [Head];
      if (head.entry.id !== last) yield head.entry;
      last = head.entry.id;
      await advance(head.rest);
    }
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}

type Head = { readonly entry: Entry; readonly rest: AsyncGenerator<Entry> };
