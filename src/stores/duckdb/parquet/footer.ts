/** The footer of a Parquet file: https://github.com/apache/parquet-format, parquet.thrift. */
import type { ChunkForm, Kind, ParquetColumn } from "./columns.ts";
import { binary, bool, type Field, i32, i64, list, struct, type Thrift } from "./thrift.ts";

export interface Footer {
  readonly columns: readonly ParquetColumn[];
  readonly groups: { readonly entries: readonly ChunkEntry[]; readonly rows: number; readonly bytes: number }[];
  rows: number;
}

type ChunkEntry = (columns: readonly ParquetColumn[]) => Thrift;

interface ChunkFacts extends ChunkForm {
  readonly encodings: readonly number[];
  readonly values: number;
  readonly rawBytes: number;
  readonly offset: number;
  readonly bytes: number;
  readonly dictionaryBytes: number;
  readonly statistics?: Thrift;
}

/** Numbers of parquet.thrift. */
const TYPES: Record<Kind, number> = { text: 6, texts: 6, int32: 1, int64: 2, time: 2 };
const UNCOMPRESSED = 0;
const ZSTD = 6;
const OPTIONAL = 1;
const REPEATED = 2;
const CONVERTED = { utf8: 0, list: 3, int32: 17, int64: 18 };
const LIST_TYPE = 3;
const TIMESTAMP_TYPE = 8;
const MILLIS = 1;
const TYPE_ORDER = 1;
const VERSION = 1;

const pathOf = ({ name, kind }: ParquetColumn): string[] => (kind === "texts" ? [name, "list", "element"] : [name]);

export function chunkEntry(index: number, chunk: ChunkFacts): ChunkEntry {
  return (columns) => {
    const column = columns[index] as ParquetColumn;
    const { dictionary, offset, dictionaryBytes } = chunk;
    const meta = struct(
      [1, i32(TYPES[column.kind])],
      [2, list(chunk.encodings.map(i32))],
      [3, list(pathOf(column).map(binary))],
      [4, i32(chunk.compressed ? ZSTD : UNCOMPRESSED)],
      [5, i64(chunk.values)],
      [6, i64(chunk.rawBytes)],
      [7, i64(chunk.bytes)],
      [9, i64(offset + dictionaryBytes)],
      [11, dictionary ? i64(offset) : undefined],
      [12, chunk.statistics],
    );
    return struct([2, i64(0)], [3, meta]);
  };
}

export function footerOf({ columns, groups, rows }: Footer): Thrift {
  const root = struct([4, binary("entries")], [5, i32(columns.length)]);
  return struct(
    [1, i32(VERSION)],
    [2, list([root, ...columns.flatMap(schemaOf)])],
    [3, i64(rows)],
    [
      4,
      list(
        groups.map(({ entries, ...group }) =>
          groupOf(
            entries.map((entry) => entry(columns)),
            group,
          ),
        ),
      ),
    ],
    [6, binary("consentry")],
    [7, list(columns.map(() => struct([TYPE_ORDER, struct()])))],
  );
}

const groupOf = (entries: readonly Thrift[], { rows, bytes }: { rows: number; bytes: number }): Thrift =>
  struct([1, list(entries)], [2, i64(bytes)], [3, i64(rows)]);

function schemaOf(column: ParquetColumn): Thrift[] {
  const { name, kind } = column;
  if (kind !== "texts") return [leaf(name, kind)];
  return [
    struct(
      [3, i32(OPTIONAL)],
      [4, binary(name)],
      [5, i32(1)],
      [6, i32(CONVERTED.list)],
      [10, struct([LIST_TYPE, struct()])],
    ),
    struct([3, i32(REPEATED)], [4, binary("list")], [5, i32(1)]),
    leaf("element", "text"),
  ];
}

function leaf(name: string, kind: Kind): Thrift {
  const head: Field[] = [
    [1, i32(TYPES[kind])],
    [3, i32(OPTIONAL)],
    [4, binary(name)],
  ];
  if (kind !== "time") {
    const converted = kind === "int32" ? CONVERTED.int32 : kind === "int64" ? CONVERTED.int64 : CONVERTED.utf8;
    return struct(...head, [6, i32(converted)]);
  }
  const unit = struct([MILLIS, struct()]);
  return struct(...head, [10, struct([TIMESTAMP_TYPE, struct([1, bool(false)], [2, unit])])]);
}
