/**
 * The primitives everything that remembers is written on : tables, windows, admissions that join the two, marks. A store implements
 * them once; registers, signals and caps are built on top in domain words. Every operation is bounded in time and
 * fails with `Unavailable("store")`; none answers from a guess.
 *
 * Keys are partitioned by whom they are about (a recipient, a client), so that on Redis Cluster all keys of one
 * partition live in one slot and an atomic step never spans two.
 */

/** What a table holds: JSON values. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [field: string]: Value };

/** Where a record lives: `partition` is whom it is about, `id` tells it from its siblings there. */
export interface Key {
  readonly partition: string;
  readonly id: string;
}

/** A record with its version: 1 at the first put, one more at each that follows. */
export interface Versioned {
  readonly value: Value;
  readonly version: number;
}

export interface Row extends Versioned {
  readonly key: Key;
}

/** Records by key. Durable when the promise of a write resolves. */
export interface Tables {
  get(table: string, key: Key): Promise<Versioned | undefined>;
  /** Same order as `keys`; one round trip for each shard, however many keys. */
  getMany(table: string, keys: readonly Key[]): Promise<(Versioned | undefined)[]>;
  /**
   * Writes when the record still has the version given (0: there is none yet; undefined: whatever it has).
   * @returns the new version, or undefined when somebody else was first
   */
  put(table: string, key: Key, value: Value, ifVersion?: number): Promise<number | undefined>;
  /** Unconditional writes in few round trips, for imports. All durable when it resolves. */
  putMany(table: string, rows: readonly { key: Key; value: Value }[]): Promise<void>;
  /** @returns whether there was one */
  remove(table: string, key: Key): Promise<boolean>;
  /** All records of one partition, by id. */
  list(table: string, partition: string): AsyncIterable<Row>;
  /** Every record of a table, streamed, in no promised order; may miss or repeat what changes meanwhile. */
  scan(table: string): AsyncIterable<Row>;
}

export interface Grant {
  readonly granted: boolean;
  /** How much of the window is taken after this call. */
  readonly taken: number;
  /** When the oldest part of it falls out of the window, ms since the epoch. */
  readonly freesAtMs: number;
}

/** Quotas in sliding windows, taken atomically over all workers and nodes. */
export interface Windows {
  /** Takes `n` when at most `max` are then taken within the last `windowMs`. */
  take(key: Key, quota: { max: number; windowMs: number; n?: number }): Promise<Grant>;
  /** Returns what was taken for something that then did not happen; the newest go first. */
  giveBack(key: Key, n?: number): Promise<void>;
}

/** One quota of a partition. */
export interface Quota {
  /** Of its window in the partition; giveBack knows it by this. */
  readonly id: string;
  readonly max: number;
  readonly windowMs: number;
  /** Not asked for where the record brings a quota of its own. */
  readonly unlessOwn: boolean;
}

/** A record to be read, and what is to be taken for it. */
export interface Admission {
  readonly key: Key;
  readonly quotas: readonly Quota[];
  /** Id of the window for the quota that the record itself brings. */
  readonly ownId: string;
}

/** What became of one quota. */
export interface QuotaGrant extends Grant, Quota {}

export interface Admitted {
  readonly record: Versioned | undefined;
  /** In the order of the quotas that were asked, the record's own last. */
  readonly grants: readonly QuotaGrant[];
}

/** Records and the quotas that hang on them. */
export interface Admissions {
  /**
   * Reads each record and takes from its quotas, as one step for each record and one round trip for each shard, however many. A record
   * that is an object with `q: [max, windowMs]` brings a quota of its own. Each quota is granted or not by itself; what is not needed after
   * all goes back with `Windows.giveBack`.
   *
   * @param n how much to take; 0 only looks: a grant then says whether one more would be granted
   */
  admit(table: string, admissions: readonly Admission[], n: number): Promise<Admitted[]>;
}

/** Has this been seen, and how many different ones, within a time. */
export interface Marks {
  /** @returns true for the first caller within `withinMs`, false for all others. */
  first(key: Key, withinMs: number): Promise<boolean>;
  /** Adds `member` and counts the distinct members of the last `withinMs`; exact up to 1,000, then an estimate (2 %). */
  distinct(key: Key, member: string, withinMs: number): Promise<number>;
}

/** One opened store. Built in house.ts (or a test) and closed there. */
export interface Store {
  readonly tables: Tables;
  readonly windows: Windows;
  readonly admissions: Admissions;
  readonly marks: Marks;
  /** One cheap round trip. @throws Unavailable */
  ping(): Promise<void>;
  close(): Promise<void>;
}
