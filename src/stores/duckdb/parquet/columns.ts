/** What our Parquet files can hold: columns that may lack a value, of text, of lists of text, of whole numbers and of times. */

export type Kind = "text" | "texts" | "int32" | "int64" | "time";

export interface ParquetColumn {
  readonly name: string;
  /** time: milliseconds, UTC. */
  readonly kind: Kind;
  /** The smallest and the largest of each row group are in the file's footer. */
  readonly statistics?: boolean;
  /** Numbers that lie so near each other that their differences are worth writing instead (`deltas.ts`). */
  readonly deltas?: boolean;
  /** Rows that are unpacked together where its values stand one by one: a multiple of PAGE_ROWS. Default: PAGE_ROWS. */
  readonly pageRows?: number;
}

/** What a row has in a column; null: nothing. */
export type Cell = string | number | readonly string[] | null;

/** Rows that follow one another in the file with all their columns. */
export const GROUP_ROWS = 8_192;
/** Rows that the index tells apart. */
export const PAGE_ROWS = 1_024;

/** Levels of a list: 0 there is none, 1 it is empty, 3 it has this item. */
export const LIST_EMPTY = 1;
export const LIST_ITEM = 3;
export const LIST_LEVEL_BITS = 2;

/** How a column of a row group lies in the file. */
export interface ChunkForm {
  /** A page with the values there are, and one with their places; else pages of PAGE_ROWS rows with the values themselves. */
  readonly dictionary: boolean;
  /** Each number as what it is more than the one before. */
  readonly deltas: boolean;
  /** With zstd; a few bytes lie open, and differences, of which it makes nothing less. */
  readonly compressed: boolean;
}
