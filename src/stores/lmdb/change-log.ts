/**
 * The latest changes of windows: rows of an LMDB database, appended, and the same in memory. A row's key is its number, how many buckets had been put
 * in their places when it was written, and who wrote it; its value the windows it changed, text and row in turn.
 *
 * Every process reads on in it before it answers (window-book.ts). Who reads that buckets were put in their places forgets what he has of them. A row is
 * taken away when every bucket had its turn since. After a lost transaction the row that was seen last is not there, or another stands in its
 * place, as no two are written by the same hand under one number: then everything is read afresh.
 */
import { randomBytes } from "node:crypto";
import { BUCKETS, bucketOf, type TextKey } from "./buckets.ts";
import type { Rows } from "./open.ts";

export interface ChangeLog {
  /** The latest row of a window, as far as the log has one. */
  get(text: TextKey): string | undefined;
  /**
   * Reads what others have added.
   * @param writing inside a transaction that writes: nothing of ours can be on its way to disk then
   */
  readOn(rows: Rows, writing: boolean): void;
  /** Adds a row. @param buckets so many are put in their places in the same transaction */
  append(rows: Rows, changes: ReadonlyMap<TextKey, string>, buckets: number): void;
  /** The windows of the bucket whose turn it is; they are to be put in their places now. */
  nextBucket(): ReadonlyMap<TextKey, string>;
  /** Windows held in memory: those of which the log has a row that is needed. */
  readonly size: number;
  /** Takes away rows that everybody can do without. */
  trim(rows: Rows): void;
}

const NUMBER_BYTES = 6;
const WRITER_BYTES = 6;
const KEY_BYTES = 2 * NUMBER_BYTES + WRITER_BYTES;
/** Rows taken away in one go, at most. */
const TRIM_MAX = 2_000;
/** Buckets on their way to disk, at most: a reader may not see them in their places yet. */
const LEAVING_MAX = 256;

const numberOf = (key: Uint8Array): number => Buffer.from(key.buffer, key.byteOffset).readUIntBE(0, NUMBER_BYTES);
const placedOf = (key: Uint8Array): number =>
  Buffer.from(key.buffer, key.byteOffset).readUIntBE(NUMBER_BYTES, NUMBER_BYTES);

type Bucket = Map<TextKey, string>;

/** What a process holds of the log. */
function createHeld() {
  const buckets = new Map<number, Bucket>();
  const leaving = new Map<number, Bucket>();
  /** How many buckets were put in their places, ever. */
  let placed = 0;
  return {
    get placed() {
      return placed;
    },
    get size() {
      let size = 0;
      for (const bucket of buckets.values()) size += bucket.size;
      return size;
    },
    get(text: TextKey): string | undefined {
      const number = bucketOf(text);
      return buckets.get(number)?.get(text) ?? leaving.get(number)?.get(text);
    },
    set(text: TextKey, row: string): void {
      const number = bucketOf(text);
      const bucket = buckets.get(number);
      if (bucket) bucket.set(text, row);
      else buckets.set(number, new Map([[text, row]]));
    },
    /** Others have put in their places whatever had its turn until `now`. */
    placedUntil(now: number): void {
      for (let turn = Math.max(placed, now - BUCKETS); turn < now; turn += 1) {
        buckets.delete(turn % BUCKETS);
        leaving.delete(turn % BUCKETS);
      }
      placed = now;
    },
    /** The next bucket, which from now on can be read here and soon in its place. */
    leave(): Bucket {
      const number = placed % BUCKETS;
      const bucket: Bucket = buckets.get(number) ?? new Map();
      buckets.delete(number);
      leaving.delete(number);
      leaving.set(number, bucket);
      const [oldest] = leaving.keys();
      if (leaving.size > LEAVING_MAX && oldest !== undefined) leaving.delete(oldest);
      placed += 1;
      return bucket;
    },
  };
}

export function createChangeLog(): ChangeLog {
  const writer = randomBytes(WRITER_BYTES);
  let held = createHeld();
  let seen: Buffer | undefined;

  const read = (key: Uint8Array, value: string): void => {
    // The first row there is does not say what was done before it: what is in its place already then stays in memory for a round.
    if (!seen) held.placedUntil(placedOf(key));
    const texts = JSON.parse(value) as TextKey[];
    for (let i = 0; i < texts.length; i += 2) held.set(texts[i] as TextKey, texts[i + 1] as string);
    held.placedUntil(placedOf(key));
    seen = Buffer.from(key);
  };
  const keyOfNext = (buckets: number): Buffer => {
    const key = Buffer.alloc(KEY_BYTES);
    key.writeUIntBE((seen ? numberOf(seen) : 0) + 1, 0, NUMBER_BYTES);
    key.writeUIntBE(held.placed + buckets, NUMBER_BYTES, NUMBER_BYTES);
    writer.copy(key, 2 * NUMBER_BYTES);
    return key;
  };

  return {
    get: (text) => held.get(text),
    get size() {
      return held.size;
    },
    readOn(rows, writing) {
      const [last] = rows.getKeys({ reverse: true, limit: 1 });
      if (seen && last?.equals(seen)) return;
      if (seen && !writing && (!last || numberOf(last) < numberOf(seen))) return;
      if (seen && !rows.doesExist(seen)) {
        held = createHeld();
        seen = undefined;
      }
      const range = seen ? { start: seen, exclusiveStart: true } : {};
      for (const { key, value } of rows.getRange(range)) read(key, value);
    },
    append(rows, changes, buckets) {
      const key = keyOfNext(buckets);
      const texts: string[] = [];
      for (const [text, row] of changes) texts.push(text, row);
      void rows.put(key, JSON.stringify(texts));
      for (const [text, row] of changes) held.set(text, row);
      seen = key;
    },
    nextBucket: () => held.leave(),
    trim(rows) {
      const gone: Buffer[] = [];
      for (const key of rows.getKeys({ limit: TRIM_MAX })) {
        if (placedOf(key) + BUCKETS > held.placed) break;
        gone.push(Buffer.from(key));
      }
      for (const key of gone) void rows.remove(key);
    },
  };
}
