/** Thrift's compact protocol, as far as Parquet's own structures need it: only written, never read. */

/** A value, and how the protocol calls its kind. */
export interface Thrift {
  readonly kind: number;
  readonly bytes: readonly number[];
}

export type Field = readonly [id: number, value: Thrift | undefined];

const TRUE = 1;
const FALSE = 2;
const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;
/** A list of fewer items has their number in its first byte. */
const LONG_LIST = 15;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return bytes;
}

/** Of numbers from 0 on: nothing below is written here. */
const zigzag = (value: number): number[] => varint(value * 2);

export const i32 = (value: number): Thrift => ({ kind: I32, bytes: zigzag(value) });
export const i64 = (value: number): Thrift => ({ kind: I64, bytes: zigzag(value) });
export const bool = (value: boolean): Thrift => ({ kind: value ? TRUE : FALSE, bytes: [] });

export function binary(content: string | Uint8Array): Thrift {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return { kind: BINARY, bytes: [...varint(bytes.length), ...bytes] };
}

/** @param items of one kind */
export function list(items: readonly Thrift[]): Thrift {
  const kind = items[0]?.kind ?? I32;
  const head = items.length < LONG_LIST ? [items.length * 16 + kind] : [LONG_LIST * 16 + kind, ...varint(items.length)];
  return { kind: LIST, bytes: [...head, ...items.flatMap(({ bytes }) => bytes)] };
}

/** @param fields in the order of their numbers; those without a value are left out */
export function struct(...fields: readonly Field[]): Thrift {
  const bytes: number[] = [];
  let last = 0;
  for (const [id, value] of fields) {
    if (value === undefined) continue;
    const step = id - last;
    if (step < LONG_LIST) bytes.push(step * 16 + value.kind);
    else bytes.push(value.kind, ...zigzag(id));
    for (const byte of value.bytes) bytes.push(byte);
    last = id;
  }
  bytes.push(0);
  return { kind: STRUCT, bytes };
}
