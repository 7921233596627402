/**
 * A file of networks, one a line, as authorities publish them: "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", or
 * "192.0.2.1-192.0.2.9"; what follows a blank, comma, semicolon or # is not read. Read in pieces, so that mails go on; read
 * again when it changes; the old list stays until the new one is whole, and when the new one is no list.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { ipBytes } from "./ip.ts";
import { createPrefixTable, type PrefixTable } from "./prefix-table.ts";

export interface NetworkFile {
  /** undefined: no list was ever read. */
  readonly table: PrefixTable | undefined;
  /** Looks once whether the file has changed, and reads it then. Never throws; what is wrong is told. */
  refresh(): Promise<void>;
  close(): void;
}

export interface NetworkFileOptions {
  readonly path: string;
  /** How often it is looked at, ms. */
  readonly everyMs: number;
  /** A list was read: how many networks, and how many lines were none. */
  readonly onRead: (read: { networks: number; badLines: number; firstBadLine?: number }) => void;
  /** The file cannot be read, or holds no list; the old one stays. */
  readonly onTrouble: (reason: string) => void;
}

/** More is no list of networks any more: 16 million of IPv4 take 130 MB. */
const NETWORKS_MAX = 16_000_000;
/** A longer line is none. */
const LINE_BYTES_MAX = 4_096;

/** Opens a file of networks and reads it. */
export async function openNetworkFile(options: NetworkFileOptions): Promise<NetworkFile> {
  let table: PrefixTable | undefined;
  let version = "";
  let reading: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    try {
      const { mtimeMs, size, ino } = await stat(options.path);
      const now = `${mtimeMs} ${size} ${ino}`;
      if (now === version) return;
      version = now;
      const read = await readNetworks(createReadStream(options.path, { highWaterMark: 65_536 }));
      if (read.table.size === 0 && read.badLines > 0) return options.onTrouble("no line of it is a network");
      table = read.table;
      const { badLines, firstBadLine } = read;
      options.onRead({
        networks: table.size,
        badLines,
        ...(firstBadLine !== undefined && { firstBadLine }),
      });
    } catch (error) {
      options.onTrouble((error as NodeJS.ErrnoException).code ?? (error as Error).message);
    }
  };
  const refresh = (): Promise<void> => {
    reading ??= look().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  await refresh();
  const timer = setInterval(() => void refresh(), options.everyMs);
  timer.unref();
  return {
    get table() {
      return table;
    },
    refresh,
    close: () => clearInterval(timer),
  };
}

interface Read {
  readonly table: PrefixTable;
  readonly badLines: number;
  readonly firstBadLine?: number;
}

/** Reads a list. @throws Error when it is larger than any list of networks */
export async function readNetworks(pieces: AsyncIterable<Buffer>): Promise<Read> {
  const table = createPrefixTable();
  let rest = "";
  let lines = 0;
  let badLines = 0;
  let firstBadLine: number | undefined;
  const take = (line: string): void => {
    lines += 1;
    if (addLine(table, line)) return;
    badLines += 1;
    firstBadLine ??= lines;
  };
  for await (const piece of pieces) {
    const text = rest + piece.toString("latin1");
    const ends = text.lastIndexOf("\n");
    rest = text.slice(ends + 1);
    if (ends >= 0) for (const line of text.slice(0, ends).split("\n")) take(line);
    if (rest.length > LINE_BYTES_MAX) throw new Error("a line has no end");
    if (table.size > NETWORKS_MAX) throw new Error(`more than ${NETWORKS_MAX} networks`);
  }
  if (rest !== "") take(rest);
  return { table, badLines, ...(firstBadLine !== undefined && { firstBadLine }) };
}

const WORD = /^\uFEFF?(?:\u00ef\u00bb\u00bf)?\s*([0-9A-Fa-f:.]+)(?:\/(\d{1,3})|\s*-\s*([0-9A-Fa-f:.]+))?(?=[\s,;#]|$)/;
const IGNORED = /^(?:\uFEFF|\u00ef\u00bb\u00bf)?\s*(?:[#;].*)?$/;

/** A wider network is a slip of somebody's pen: it would be half of the world. */
const SHORTEST = { v4: 8, v6: 16 } as const;

/** @returns false when the line is no network */
function addLine(table: PrefixTable, line: string): boolean {
  const match = WORD.exec(line);
  if (!match) return IGNORED.test(line);
  const [, first = "", bits, last] = match;
  const bytes = quadOf(first) ?? ipBytes(first);
  if (!bytes) return false;
  if (last !== undefined) return addRange(table, bytes, quadOf(last));
  const length = bits === undefined ? bytes.length * 8 : Number(bits);
  if (length > bytes.length * 8 || length < SHORTEST[bytes.length === 4 ? "v4" : "v6"]) return false;
  table.add(bytes, length);
  return true;
}

/** A dotted quad without the general parser: a list of a million has little else. */
function quadOf(text: string): number[] | undefined {
  const bytes = [0, 0, 0, 0];
  let part = 0;
  let digits = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 46) {
      if (digits === 0 || part === 3) return undefined;
      part += 1;
      digits = 0;
    } else if (code >= 48 && code <= 57) {
      digits += 1;
      const value = (bytes[part] ?? 0) * 10 + code - 48;
      if (value > 255 || digits > 3) return undefined;
      bytes[part] = value;
    } else return undefined;
  }
  return part === 3 && digits > 0 ? bytes : undefined;
}

const numberOf = (bytes: readonly number[]): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
const bytesOf = (value: number): number[] => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);

/** From one IPv4 address to another, both included, as the fewest networks. */
function addRange(table: PrefixTable, first: readonly number[], last: readonly number[] | undefined): boolean {
  if (!last || first.length !== 4) return false;
  let from = numberOf(first);
  const to = numberOf(last);
  if (from > to || to - from >= 2 ** (32 - SHORTEST.v4)) return false;
  while (from <= to) {
    let bits = 32;
    while (bits > 0 && from % 2 ** (33 - bits) === 0 && from + 2 ** (33 - bits) - 1 <= to) bits -= 1;
    table.add(bytesOf(from), bits);
    from += 2 ** (32 - bits);
  }
  return true;
}
