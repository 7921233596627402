import type { Entry } from "./entry.ts";
import type { Search } from "./journal.ts";
import type { EventCount } from "./seal.ts";

/** How many entries of one day, event and verdict. */
export interface DayCount extends EventCount {
  /** UTC: "2026-11-22". */
  readonly date: string;
}

export type ExportFormat = "parquet" | "csv";

export interface Reading {
  /** At most so many. */
  readonly limit?: number;
  /** Told after each day that was looked through, of how many. */
  onDay?(done: number, of: number): void;
}

/**
 * The whole ledger, hot and archived, of every node whose archive is in reach; of other nodes what is archived. Memory stays bounded
 * however much is found. @throws Unavailable("ledger") when it cannot be read
 */
export interface LedgerReader {
  /** Streams what matches, oldest first. */
  find(search: Search, reading?: Reading): AsyncIterable<Entry>;
  /** By day, event and verdict, in that order. */
  count(search: Search, reading?: Reading): Promise<readonly DayCount[]>;
  /** Writes what matches into a new file, oldest first, with ids and replies in full. @returns how many entries */
  write(search: Search, path: string, format: ExportFormat): Promise<number>;
  close(): Promise<void>;
}
