import type { ClosedHour, Source, Taken } from "./journal.ts";
import type { ReadSeal, Removal } from "./seal.ts";

/** A sealed volume of this node. */
export interface Sealed extends Pick<ReadSeal, "seal" | "digest"> {
  readonly bytes: number;
}

/**
 * The cold end of the ledger: what this node wrote, a directory for each day, in files that others can read. Each step is whole or not at
 * all for whoever reads; a step that a crash cut off is made again.
 */
export interface Archive {
  readonly node: string;
  /** How far these sources of the journal are in it. */
  taken(sources: readonly Source[]): Promise<Taken>;
  /** Takes an hour. When it resolves the journal may forget it. @returns how many entries it was */
  absorb(hour: ClosedHour): Promise<number>;
  /** Days that hold hours which are in no volume yet, oldest first. */
  openDays(): Promise<readonly string[]>;
  /** Makes a volume of a day's hours and seals it. @returns undefined when there is nothing in it */
  seal(date: string, nowMs: number): Promise<Sealed | undefined>;
  /** Every sealed volume, oldest first. */
  sealed(): Promise<readonly Sealed[]>;
  /** Deletes a day with all its volumes, and notes so in the chain. */
  remove(date: string, nowMs: number): Promise<readonly Removal[]>;
  /** Deletes what a crash left unfinished and hour files that a volume has taken the place of. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}
