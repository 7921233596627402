/**
 * Small numbers in runs: Parquet's hybrid of run lengths and packed bits (encoding RLE), in which it keeps levels and the places of values in
 * a dictionary. Written whole; read at the places wanted only.
 */

const GROUP = 8;

/** How many bits a number of that size needs; at least one. */
export const bitsFor = (max: number): number => Math.max(1, 32 - Math.clz32(max));

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

/** @param bits of each value, at most 16 */
export function writeRuns(values: ArrayLike<number>, bits: number): Buffer {
  const bytes: number[] = [];
  let packedFrom = 0;
  let at = 0;
  while (at < values.length) {
    let end = at + 1;
    while (end < values.length && values[end] === values[at]) end += 1;
    // What is packed comes in groups of eight; the run gives what the last group lacks.
    const begin = at + ((GROUP - ((at - packedFrom) % GROUP)) % GROUP);
    if (end - begin >= GROUP) {
      pack(bytes, values, { from: packedFrom, to: begin, bits });
      pushVarint(bytes, (end - begin) * 2);
      for (let shift = 0; shift < bits; shift += GROUP) bytes.push(((values[begin] ?? 0) >> shift) & 255);
      packedFrom = end;
    }
    at = end;
  }
  pack(bytes, values, { from: packedFrom, to: values.length, bits });
  return Buffer.from(bytes);
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly bits: number;
}

function pack(bytes: number[], values: ArrayLike<number>, { from, to, bits }: Stretch): void {
  if (to <= from) return;
  const groups = Math.ceil((to - from) / GROUP);
  pushVarint(bytes, groups * 2 + 1);
  let held = 0;
  let count = 0;
  for (let index = from; index < from + groups * GROUP; index += 1) {
    held |= (index < to ? (values[index] ?? 0) : 0) << count;
    for (count += bits; count >= GROUP; count -= GROUP) {
      bytes.push(held & 255);
      held >>>= GROUP;
    }
  }
}

interface Run {
  /** Place of its first value. */
  readonly from: number;
  readonly to: number;
  /** Of all of them; -1: they are packed from `offset` on. */
  readonly value: number;
  readonly offset: number;
}

export interface Runs {
  /** There may be a few more than were written: what is packed comes in groups of eight. */
  readonly length: number;
  /** Places asked for one after the other cost least. @throws RangeError when there is no such place */
  at(place: number): number;
  /** How many of these places hold `value`. */
  count(value: number, from: number, to: number): number;
}

/** @throws RangeError when the bytes are no runs */
export function readRuns(bytes: Uint8Array, bits: number): Runs {
  const runs = runsOf(bytes, bits);
  const length = runs.at(-1)?.to ?? 0;
  let latest = 0;
  const packed = ({ from, offset }: Run, place: number): number => {
    const bit = (place - from) * bits;
    const byte = offset + (bit >> 3);
    const word = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16);
    return (word >> (bit & 7)) & ((1 << bits) - 1);
  };
  /** Index of the run a place lies in. */
  const runAt = (place: number): number => {
    if (place >= length) throw new RangeError("a page has fewer values than rows");
    if (place < (runs[latest] as Run).from) latest = 0;
    while (place >= (runs[latest] as Run).to) latest += 1;
    return latest;
  };
  /** Bytes as a whole where values do not stretch over two. */
  const countPacked = (run: Run, value: number, { from, to }: Pick<Run, "from" | "to">): number => {
    const perByte = 8 / bits;
    const wholeFrom =
      perByte % 1 === 0 ? Math.min(to, from + ((perByte - ((from - run.from) % perByte)) % perByte)) : to;
    const wholeTo = perByte % 1 === 0 ? to - ((to - wholeFrom) % perByte) : to;
    let found = 0;
    for (let place = from; place < wholeFrom; place += 1) if (packed(run, place) === value) found += 1;
    if (wholeTo > wholeFrom) {
      const counts = countsOf(bits, value);
      const begin = run.offset + ((wholeFrom - run.from) * bits) / 8;
      const end = run.offset + ((wholeTo - run.from) * bits) / 8;
      for (let byte = begin; byte < end; byte += 1) found += counts[bytes[byte] ?? 0] ?? 0;
    }
    for (let place = wholeTo; place < to; place += 1) if (packed(run, place) === value) found += 1;
    return found;
  };
  return {
    length,
    at(place) {
      const run = runs[runAt(place)] as Run;
      return run.value >= 0 ? run.value : packed(run, place);
    },
    count(value, from, to) {
      let found = 0;
      for (let place = from, index = from < to ? runAt(from) : 0; place < to; index += 1) {
        const run = runs[index];
        if (!run) throw new RangeError("a page has fewer values than rows");
        const end = Math.min(to, run.to);
        if (run.value === value) found += end - place;
        else if (run.value < 0) found += countPacked(run, value, { from: place, to: end });
        place = end;
      }
      return found;
    },
  };
}

const tables = new Map<number, Uint8Array>();

/** How often a value of so many bits is in each of the 256 bytes. */
function countsOf(bits: number, value: number): Uint8Array {
  const key = bits * 256 + value;
  const known = tables.get(key);
  if (known) return known;
  const counts = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    for (let bit = 0; bit < 8; bit += bits)
      if (((byte >> bit) & ((1 << bits) - 1)) === value) counts[byte] = (counts[byte] ?? 0) + 1;
  }
  tables.set(key, counts);
  return counts;
}

function runsOf(bytes: Uint8Array, bits: number): Run[] {
  const runs: Run[] = [];
  let offset = 0;
  for (let from = 0; offset < bytes.length; ) {
    let head = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[offset];
      if (byte === undefined) throw new RangeError("the runs of a page end too early");
      offset += 1;
      head += (byte & 127) * scale;
      if (byte < 128) break;
    }
    const isPacked = head % 2 === 1;
    const length = isPacked ? ((head - 1) / 2) * GROUP : head / 2;
    if (length === 0) throw new RangeError("a run of a page is empty");
    let value = isPacked ? -1 : 0;
    const begin = offset;
    if (isPacked) offset += (length / GROUP) * bits;
    else for (let shift = 0; shift < bits; shift += GROUP, offset += 1) value |= (bytes[offset] ?? 0) << shift;
    if (offset > bytes.length) throw new RangeError("the runs of a page end too early");
    runs.push({ from, to: from + length, value, offset: begin });
    from += length;
  }
  return runs;
}
