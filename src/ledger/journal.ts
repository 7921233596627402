import type { Entry } from "./entry.ts";

/** What to look for; every field given must match. */
export interface Search {
  readonly sender?: string;
  readonly recipient?: string;
  /** One address or a CIDR range, matched against the client's address. */
  readonly ip?: string;
  /** Entry or mail id. */
  readonly id?: string;
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

/** `now`: somebody waits; `soon`: nobody does, so it may share the write of somebody who does, within 50 ms. */
export type Urgency = "now" | "soon";

/** What was written of one hour, as it stands on disk. */
export interface ClosedHour {
  readonly hour: string;
  /** Every entry, oldest first. */
  read(): AsyncIterable<Entry>;
  /** Forgets exactly what `read` gives, once it is safe elsewhere. */
  drop(): Promise<void>;
}

/**
 * The hot end of the ledger on this node. Entries are appended in group commits; a resolved append is on disk.
 * Closed hours leave it for the archive.
 */
export interface Journal {
  /** Durable when it resolves. @throws Unavailable("ledger") when it cannot be (disk full, I/O error) */
  append(entries: readonly Entry[], when?: Urgency): Promise<void>;
  /** Streams what matches, oldest first. */
  find(search: Search): AsyncIterable<Entry>;
  /**
   * Hours, as "2026-11-22T07" in UTC and oldest first, that are over and quiet and so can leave for the archive. The same hour
   * may come again when a process wrote late.
   */
  closedHours(nowMs: number): Promise<readonly ClosedHour[]>;
  close(): Promise<void>;
}
