/**
 * Windows as rows of `windows`, with their latest changes in front of them in `changes` (change-log.ts). The recipients of a mailing lie anywhere among
 * millions of rows, so that each window put in its place at once would cost a page of its own; put there later, bucket by bucket, many share one.
 * Exact over processes: LMDB has one writer at a time, and he reads on in the log before he takes from a window.
 */
import type { Key } from "../../kit/store.ts";
import type { WindowState } from "../window-state.ts";
import { BUCKETS, placeOf, type TextKey, textKey } from "./buckets.ts";
import { type ChangeLog, createChangeLog } from "./change-log.ts";
import type { Dbs } from "./open.ts";
import { isOver } from "./sweep.ts";

type Books = Dbs<"windows" | "changes">;

export interface Kept {
  readonly expiresAtMs: number;
  readonly state: WindowState;
}

export interface WindowReader {
  load(key: Key): Kept;
}

/** Some windows inside a transaction. Nothing is changed before `end`, which is called once. */
export interface WindowTurn extends WindowReader {
  save(key: Key, kept: Kept): void;
  end(nowMs: number): void;
}

export interface WindowBook {
  /** A transaction begins; what an earlier one left without an end is forgotten. */
  begin(): void;
  /** Inside a transaction that writes. */
  turn(dbs: Books): WindowTurn;
  /** All turns of the transaction become one row of the log. */
  end(dbs: Books): void;
  /** Windows as they are, or will be when what this process is writing is on disk. */
  look(dbs: Books): WindowReader;
}

/** When so much was changed, each bucket has had its turn: the most that log and memory hold, characters. */
const ROUND_CHARS = 6_000_000;

/** A window that is gone. */
const GONE = "";

/** What one transaction changes. */
interface Pending {
  readonly rows: Map<TextKey, string>;
  chars: number;
  nowMs: number;
}

/** @param roundChars fewer for tests */
export function createWindowBook(roundChars = ROUND_CHARS): WindowBook {
  const log = createChangeLog();
  const dueAfter = paced(roundChars);
  let pending: Pending | undefined;

  return {
    begin() {
      pending = undefined;
    },
    look(dbs) {
      log.readOn(dbs.changes, false);
      return { load: (key) => keptOf(rowOf(dbs, log, textKey(key))) };
    },
    turn(dbs) {
      if (!pending) log.readOn(dbs.changes, true);
      pending ??= { rows: new Map(), chars: 0, nowMs: 0 };
      return turnOf(pending, (text) => rowOf(dbs, log, text));
    },
    end(dbs) {
      if (!pending || pending.rows.size === 0) return;
      const { rows, chars, nowMs } = pending;
      const buckets = dueAfter(chars);
      log.append(dbs.changes, rows, buckets);
      for (let turn = 0; turn < buckets; turn += 1) putInPlace(dbs, log.nextBucket(), nowMs);
      if (buckets > 0) log.trim(dbs.changes);
    },
  };
}

/** How many buckets have their turn after so much was changed. */
function paced(roundChars: number): (chars: number) => number {
  const bucketChars = roundChars / BUCKETS;
  let owed = 0;
  return (chars) => {
    owed += chars;
    const buckets = Math.min(BUCKETS - 1, Math.floor(owed / bucketChars));
    owed = Math.min(owed - buckets * bucketChars, roundChars);
    return buckets;
  };
}

function turnOf(pending: Pending, before: (text: TextKey) => string | undefined): WindowTurn {
  const changed = new Map<TextKey, string>();
  return {
    load(key) {
      const text = textKey(key);
      return keptOf(changed.get(text) ?? pending.rows.get(text) ?? before(text));
    },
    save: (key, kept) => void changed.set(textKey(key), rowFrom(kept)),
    end(nowMs) {
      for (const [text, row] of changed) {
        pending.rows.set(text, row);
        pending.chars += text.length + row.length;
      }
      pending.nowMs = nowMs;
    },
  };
}

const rowOf = ({ windows }: Books, log: ChangeLog, text: TextKey): string | undefined =>
  log.get(text) ?? windows.get(placeOf(text));

function putInPlace({ windows }: Books, bucket: ReadonlyMap<TextKey, string>, nowMs: number): void {
  for (const [text, row] of bucket) {
    if (row === GONE || isOver(row, nowMs)) void windows.remove(placeOf(text));
    else void windows.put(placeOf(text), row);
  }
}

/** A row is `[expires, at, n, at, n, …]`. */
function keptOf(row: string | undefined): Kept {
  const [expiresAtMs = 0, ...state] = row === undefined || row === GONE ? [] : (JSON.parse(row) as number[]);
  return { expiresAtMs, state };
}

const rowFrom = ({ expiresAtMs, state }: Kept): string =>
  state.length === 0 ? GONE : `[${expiresAtMs},${state.join()}]`;
