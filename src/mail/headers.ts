/**
 * The header block of a mail, split once, by offsets, without copying (PERF: a few microseconds for any mail). Names are
 * compared in lower case; values stay bytes until somebody asks. RFC 5322 2.2, with the tolerance real mail needs.
 */
export interface Field {
  /** Lower case, without the colon. */
  readonly name: string;
  /** Where the field stands in the content: from its first byte to after its last CRLF. */
  readonly start: number;
  readonly end: number;
  /** The unfolded value, one character a byte (latin1), outer blanks removed. */
  readonly value: string;
}

const LF = 10;
const COLON = 58;

export class Headers {
  readonly fields: readonly Field[];
  /** Lines of the block that are no field and no continuation of one. */
  readonly malformed: number;

  private constructor(fields: readonly Field[], malformed: number) {
    this.fields = fields;
    this.malformed = malformed;
  }

  /** Splits a header block; never throws, whatever the bytes. */
  static parse(block: Buffer): Headers {
    const fields: Field[] = [];
    let malformed = 0;
    let at = 0;
    while (at < block.length) {
      const end = endOfField(block, at);
      if (isEmptyLine(block, at)) break;
      const field = readField(block, at, end);
      if (field) fields.push(field);
      else malformed += 1;
      at = end;
    }
    return new Headers(fields, malformed);
  }

  /** Unfolded values of all fields of that name, top first. */
  all(name: string): string[] {
    return this.fields.filter((field) => field.name === name).map((field) => field.value);
  }

  /** The topmost value. */
  first(name: string): string | undefined {
    return this.fields.find((field) => field.name === name)?.value;
  }

  count(name: string): number {
    let found = 0;
    for (const field of this.fields) if (field.name === name) found += 1;
    return found;
  }
}

/** The offset after the CRLF that ends the field starting at `start`, continuation lines included. */
function endOfField(block: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const lf = block.indexOf(LF, at);
    if (lf < 0) return block.length;
    at = lf + 1;
    const next = block[at];
    if (next !== 32 && next !== 9) return at;
  }
}

const isEmptyLine = (block: Buffer, at: number): boolean =>
  block[at] === LF || (block[at] === 13 && (block[at + 1] === LF || at + 1 === block.length));

function readField(block: Buffer, start: number, end: number): Field | undefined {
  let colon = start;
  while (colon < end && block[colon] !== COLON) colon += 1;
  if (colon === start || colon === end) return undefined;
  // By hand and not by a pattern: thousands of blanks before the colon would be walked once for each of them.
  let nameEnd = colon;
  while (nameEnd > start && (block[nameEnd - 1] === 32 || block[nameEnd - 1] === 9)) nameEnd -= 1;
  if (!isName(block, start, nameEnd)) return undefined;
  const name = block.toString("latin1", start, nameEnd).toLowerCase();
  const value = block.toString("latin1", colon + 1, end).replace(/\r?\n(?=[ \t])/g, "");
  return { name, start, end, value: withoutBlanks(value) };
}

/** Printable ASCII and nothing else (RFC 5322 3.6.8). */
function isName(block: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = block[at] as number;
    if (byte < 0x21 || byte > 0x7e) return false;
  }
  return end > start;
}

/** ASCII blanks only: A0 is a no-break space in latin1, and the last byte of many a Chinese character in raw 8-bit headers. */
function withoutBlanks(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isBlank(value.charCodeAt(from))) from += 1;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to -= 1;
  return value.slice(from, to);
}

const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 13 || code === 10;
