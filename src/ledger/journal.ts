import type { Entry } from "./entry.ts";
import type { EventName } from "./events.ts";

/** What to look for; every field given must match. Addresses and domains are compared without regard to case. */
export interface Search {
  /** MAIL FROM; "" is the null reverse-path. */
  readonly sender?: string;
  readonly recipient?: string;
  /** Sender or recipient. */
  readonly address?: string;
  /** Of sender or recipient; "*.example.com" finds the domains below it, too. */
  readonly domain?: string;
  /** One address or a CIDR range, matched against the client's address. */
  readonly ip?: string;
  /** Entry, mail or queue id. */
  readonly id?: string;
  readonly messageId?: string;
  readonly event?: EventName;
  readonly verdict?: NonNullable<Entry["verdict"]>;
  /** Enforced or watched ("~rule" finds only the watched). */
  readonly rule?: string;
  /** A part of an article's name will do. */
  readonly article?: string;
  /** Id of a registered client. */
  readonly client?: string;
  /** From, inclusive. */
  readonly sinceMs?: number;
  /** To, exclusive. */
  readonly untilMs?: number;
}

/** `now`: somebody waits; `soon`: nobody does, so it may share the write of somebody who does, within 50 ms. */
export type Urgency = "now" | "soon";

/** How much of what the journal keeps is safe elsewhere: the name of a source and up to where, which only the journal can read. */
export type Taken = ReadonlyMap<string, number>;

/** Something the journal keeps entries in. */
export interface Source {
  /** Never used for anything else, on any node. */
  readonly name: string;
  /** The hour its entries lie in, UTC: "2026-11-22T07". */
  readonly hour: string;
}

/** What was written of one hour, as it stands on disk. */
export interface ClosedHour {
  readonly hour: string;
  /** What `read` gives, for `forget` and `find`. */
  readonly taken: Taken;
  /** Every entry, oldest first. */
  read(): AsyncIterable<Entry>;
}

/**
 * The hot end of the ledger on this node. Entries are appended in group commits; a resolved append is on disk. Closed hours leave it
 * for the archive: the archive says what it has `taken` in the same step in which it has it, and who reads passes that on, so that an
 * entry is in one of the two at any moment and never in both.
 */
export interface Journal {
  /** Durable when it resolves. @throws Unavailable("ledger") when it cannot be (disk full, I/O error) */
  append(entries: readonly Entry[], when?: Urgency): Promise<void>;
  /** Streams what matches and is not taken, oldest first. */
  find(search: Search, taken?: Taken): AsyncIterable<Entry>;
  /** Everything it still keeps, oldest first. */
  sources(): Promise<readonly Source[]>;
  /**
   * Hours, oldest first, that are over and quiet and so can leave for the archive, without what is taken. The same hour may
   * come again when a process wrote late.
   */
  closedHours(nowMs: number, taken?: Taken): Promise<readonly ClosedHour[]>;
  /** Drops the sources that are taken whole; one that has grown since stays. */
  forget(taken: Taken): Promise<void>;
  close(): Promise<void>;
}
