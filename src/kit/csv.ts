/**
 * Reads CSV as RFC 4180 has it, record by record, in bounded memory. A record that cannot be read is told with its line and
 * its reason, and reading goes on at the next line: one stray quote spoils one line and not the rest of the file.
 */

/** Lines count from 1; a record with line breaks in quotes has the line it begins in. */
export type CsvRecord =
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly problem: string };

/** One record, or why there is none; `next` is where reading goes on. undefined: more text is needed to tell. */
type Scan = { readonly next: number; readonly fields?: string[]; readonly problem?: string } | undefined;

const UNCLOSED = "a quote is opened and not closed";

/**
 * The records of a file; empty lines are passed over, lines end in CRLF or LF, a byte order mark is dropped.
 *
 * @param chunks UTF-8, in pieces of any size
 * @param options recordCharsMax: a longer record is refused
 */
export async function* readCsv(
  chunks: AsyncIterable<Uint8Array>,
  { recordCharsMax = 65_536 }: { readonly recordCharsMax?: number } = {},
): AsyncGenerator<CsvRecord> {
  const decoder = new TextDecoder("utf-8");
  const splitter = createSplitter(recordCharsMax);
  for await (const chunk of chunks) yield* splitter.take(decoder.decode(chunk, { stream: true }), false);
  yield* splitter.take(decoder.decode(), true);
}

function createSplitter(recordCharsMax: number) {
  let rest = "";
  let line = 1;
  /** Inside a line that was refused for its length and whose end has not come yet. */
  let skipping = false;

  function* take(text: string, atEnd: boolean): Generator<CsvRecord> {
    rest += text;
    let at = 0;
    while (at < rest.length) {
      if (skipping) {
        const end = rest.indexOf("\n", at);
        if (end < 0) break;
        skipping = false;
        line += 1;
        at = end + 1;
        continue;
      }
      const scan = scanRecord(rest, at, atEnd) ?? (rest.length - at > recordCharsMax ? giveUp(rest, at) : undefined);
      if (!scan) break;
      const record = checked(scan, rest.slice(at, scan.next), recordCharsMax);
      if (record) yield { line, ...record };
      skipping = scan.next > rest.length;
      line += countLines(rest, at, scan.next);
      at = scan.next;
    }
    rest = skipping ? "" : rest.slice(at);
  }
  return { take };
}

/** The record is longer than may be, or its quote never closes: it ends with its first line, whenever that comes. */
function giveUp(text: string, from: number): Scan {
  const newline = text.indexOf("\n", from);
  const problem = newline < 0 ? "the line is too long" : UNCLOSED;
  return { next: newline < 0 ? text.length + 1 : newline + 1, problem };
}

/** undefined: an empty line. */
function checked({ fields, problem }: NonNullable<Scan>, text: string, charsMax: number) {
  if (problem !== undefined) return { problem };
  if (text.length > charsMax + 2) return { problem: "the line is too long" };
  if (text.includes("\ufffd")) return { problem: "not UTF-8" };
  return fields?.length === 1 && fields[0] === "" && !text.includes('"') ? undefined : { fields: fields ?? [] };
}

function countLines(text: string, from: number, to: number): number {
  let found = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) found += 1;
  return found;
}

function scanRecord(text: string, from: number, atEnd: boolean): Scan {
  const newline = text.indexOf("\n", from);
  if (newline < 0 && !atEnd) return undefined;
  const end = newline < 0 ? text.length : newline;
  const line = text.slice(from, text[end - 1] === "\r" && end > from ? end - 1 : end);
  return line.includes('"') ? scanQuoted(text, from, atEnd) : { next: end + 1, fields: line.split(",") };
}

/** Field by field; `at` is where the next one begins. */
function scanQuoted(text: string, from: number, atEnd: boolean): Scan {
  const fields: string[] = [];
  let at = from;
  for (;;) {
    const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
    const cut = !field || field.end >= text.length || (text[field.end] === "\r" && field.end + 1 === text.length);
    if (cut && !atEnd) return undefined;
    if (!field) return refuse(text, from, UNCLOSED);
    if (field.problem !== undefined) return refuse(text, from, field.problem);
    fields.push(field.value);
    if (text[field.end] !== ",") return { next: field.end + (text[field.end] === "\r" ? 2 : 1), fields };
    at = field.end + 1;
  }
}

const refuse = (text: string, from: number, problem: string): Scan => {
  const newline = text.indexOf("\n", from);
  return { next: newline < 0 ? text.length + 1 : newline + 1, problem };
};

interface FieldScan {
  readonly value: string;
  /** Offset of what follows: a comma, a line break, or the end of the text. */
  readonly end: number;
  readonly problem?: string;
}

/** undefined: its closing quote is not in the text. */
function quotedField(text: string, open: number): FieldScan | undefined {
  let value = "";
  let start = open + 1;
  for (;;) {
    const quote = text.indexOf('"', start);
    if (quote < 0) return undefined;
    value += text.slice(start, quote);
    if (text[quote + 1] !== '"') return followed(text, value, quote + 1);
    value += '"';
    start = quote + 2;
  }
}

function followed(text: string, value: string, end: number): FieldScan {
  const fine = end >= text.length || /^(?:,|\r?\n|\r?$)/.test(text.slice(end, end + 2));
  return fine ? { value, end } : { value, end, problem: "text follows a closing quote" };
}

function plainField(text: string, start: number): FieldScan {
  let end = start;
  while (end < text.length && text[end] !== "," && text[end] !== "\n") end += 1;
  const value = text.slice(start, end).replace(/\r$/, "");
  return value.includes('"') ? { value, end, problem: "a quote inside a field without quotes" } : { value, end };
}

/** One line of CSV with its CRLF; quotes only where they are needed. */
export const csvLine = (fields: readonly string[]): string =>
  `${fields.map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",")}\r\n`;
