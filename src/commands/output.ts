/**
 * What commands say: tables for people, JSON for programs, on stdout; everything else (progress, refused lines, trouble) on
 * stderr. Texts from mails and files are shown without the control characters that could steer a terminal.
 */
import { once } from "node:events";

/** The command says no, or could not: exit 1. */
export class Refused extends Error {}

const CONTROLS = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;
const escapeOf = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A text that cannot steer the terminal it is shown on. */
export const clean = (text: string): string => text.replace(CONTROLS, escapeOf);

/** JSON in one line; also what JSON itself leaves unescaped is harmless. */
export const jsonLine = (value: unknown): string => JSON.stringify(value).replace(CONTROLS, escapeOf);

const write = async (text: string): Promise<void> => {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
};

/** Prints lines on stdout. */
export const print = (...lines: readonly string[]): Promise<void> => write(`${lines.join("\n")}\n`);

/** Prints one JSON document on stdout. */
export const printJson = (value: unknown): Promise<void> =>
  print(JSON.stringify(value, undefined, 2).replace(/[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, escapeOf));

/** Says something beside the result, on stderr. */
export const remark = (text: string): void => void process.stderr.write(`${text}\n`);

const PIECE_CHARS = 16_384;
const LATENCY_MS = 200;

/** Prints a stream of texts as they are, in larger pieces; waits when the reader is slower. */
export async function printAll(texts: AsyncIterable<string>): Promise<void> {
  let held = "";
  let heldSinceMs = performance.now();
  for await (const text of texts) {
    held += text;
    if (held.length < PIECE_CHARS && performance.now() - heldSinceMs < LATENCY_MS) continue;
    await write(held);
    held = "";
    heldSinceMs = performance.now();
  }
  if (held !== "") await write(held);
}

type Row = readonly string[];

/** Rows in columns as wide as they need to be. */
export function table(heads: Row, rows: readonly Row[]): string[] {
  const all = [heads, ...rows].map((row) => row.map(clean));
  const widths = heads.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => columns(row, widths));
}

/** One row in columns of given widths, for listings that are printed as they come. */
export const columns = (row: Row, widths: readonly number[]): string =>
  row
    .map((cell, column) => clean(cell).padEnd(widths[column] ?? 0))
    .join("  ")
    .trimEnd();

/** Prints a whole listing: a table, or one JSON document. */
export function printTable({ json }: { json: boolean }, heads: Row, items: readonly { row: Row; value: unknown }[]) {
  return json
    ? printJson(items.map(({ value }) => value))
    : print(
        ...table(
          heads,
          items.map(({ row }) => row),
        ),
      );
}

const REDRAW_MS = 100;
const REPORT_MS = 5_000;

/** Tells on stderr how far a long work is: in place on a terminal, else a line every few seconds. */
export function createProgress(what: string, stream: NodeJS.WriteStream = process.stderr) {
  const { isTTY } = stream;
  let saidMs = performance.now();
  let shown = false;
  return {
    at(count: number): void {
      const nowMs = performance.now();
      if (nowMs - saidMs < (isTTY ? REDRAW_MS : REPORT_MS)) return;
      saidMs = nowMs;
      shown = true;
      const text = `${count.toLocaleString("en")} ${what}`;
      stream.write(isTTY ? `\r${text}` : `${text}\n`);
    },
    /** Clears the line. */
    end(): void {
      if (isTTY && shown) stream.write("\r\x1b[K");
    },
  };
}

/** A reader that has seen enough (`| head`) ends the command, quietly; the same for stderr only silences it. */
export function endWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
