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

/**
 * The hot end of the ledger on this node. Entries are appended in group commits; a resolved append is on disk.
 * Closed hours leave it for the archive.
 */
export interface Journal {
  /** Durable when it resolves. @throws Unavailable("ledger") when it cannot be (disk full, I/O error) */
  append(entries: readonly Entry[]): Promise<void>;
  /** Streams what matches, oldest first. */
  find(search: Search): AsyncIterable<Entry>;
  close(): Promise<void>;
}
