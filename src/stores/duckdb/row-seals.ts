/**
 * What each entry of a volume was when it was sealed: its id and one byte of its row's SHA-256, and for every 256 of them, in the order of
 * ids, the SHA-256 of their hashes. A file that was changed is known from its own hash; this tells which entry it was.
 */
import { createHash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { fullId, shortId } from "./short-id.ts";
import { readVarint, varints } from "./varint.ts";

const HASH_BYTES = 32;
const GROUP = 256;
const STANDARD = /^0\.([0-9A-Z]{5})\.(\d+)$/;

/** An entry's id and the hash of its row. */
export interface SealedRow {
  readonly id: string;
  readonly hash: Buffer;
}

/** What can be said of an entry without its row. */
export interface RowMark {
  readonly id: string;
  readonly byte: number;
}

export interface RowSeals {
  readonly marks: readonly RowMark[];
  readonly groups: readonly Buffer[];
}

const sha256 = (...parts: readonly Buffer[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
  a.id < b.id ? -1 : a.id > b.id ? 1 : 0;

/** Of rows sorted by id. */
export function groupsOf(rows: readonly SealedRow[]): Buffer[] {
  const groups: Buffer[] = [];
  for (let from = 0; from < rows.length; from += GROUP) {
    groups.push(sha256(...rows.slice(from, from + GROUP).map(({ hash }) => hash)));
  }
  return groups;
}

/** One hash for all rows of a volume, hexadecimal. */
export const rootOf = (groups: readonly Buffer[]): string => sha256(...groups).toString("hex");

export interface RowSealer {
  /** In the order of ids. */
  add(row: SealedRow): void;
  /** The content of the file, and one hash for all rows, hexadecimal. */
  finish(): { readonly content: Buffer; readonly root: string };
}

/** Seals rows as they come; of a row only its id and a byte stay in memory. */
export function createRowSealer(): RowSealer {
  const ids: string[] = [];
  const marks: number[] = [];
  const groups: Buffer[] = [];
  let open: SealedRow[] = [];
  const close = (): void => {
    groups.push(...groupsOf(open));
    open = [];
  };
  return {
    add(row) {
      ids.push(row.id);
      marks.push(row.hash[0] ?? 0);
      open.push(row);
      if (open.length === GROUP) close();
    },
    finish() {
      close();
      const { runs, sections } = packIds(ids);
      const head = { schema: 1, rows: ids.length, runs, sections: sections.map((each) => each.length) };
      const parts = [Buffer.from(`${JSON.stringify(head)}\n`), ...sections, Buffer.from(marks), ...groups];
      return { content: zstdCompressSync(Buffer.concat(parts)), root: rootOf(groups) };
    },
  };
}

interface PackedIds {
  /** The runs of processes that made the ids; undefined: not all are ids of ours, and the only section is a list of them. */
  readonly runs?: readonly string[];
  readonly sections: readonly Buffer[];
}

function packIds(ids: readonly string[]): PackedIds {
  const runs = new Map<string, number>();
  const steps: number[] = [];
  const places: number[] = [];
  const counts: number[] = [];
  let lastMs = 0;
  for (const id of ids) {
    const atMs = timeOf(id);
    const [, run, count] = atMs === undefined ? [] : (STANDARD.exec(shortId(id, atMs)) ?? []);
    if (atMs === undefined || run === undefined) return { sections: [Buffer.from(JSON.stringify(ids))] };
    if (!runs.has(run)) runs.set(run, runs.size);
    steps.push(atMs - lastMs);
    places.push(runs.get(run) ?? 0);
    counts.push(Number(count));
    lastMs = atMs;
  }
  return { runs: [...runs.keys()], sections: [steps, places, counts].map(varints) };
}

/** The time in an id of ours. */
function timeOf(id: string): number | undefined {
  const [lag] = shortId(id, 0).split(".");
  return lag === undefined || lag === id || !/^-?\d+$/.test(lag) ? undefined : -Number(lag);
}

/** @throws Error when it is no such file */
export function readRowSeals(content: Uint8Array): RowSeals {
  const bytes = zstdDecompressSync(content);
  const end = bytes.indexOf(10);
  const { rows, runs, sections } = JSON.parse(bytes.toString("utf8", 0, end)) as {
    rows: number;
    runs?: string[];
    sections: number[];
  };
  let at = end + 1;
  const take = (length: number): Buffer => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const ids = unpackIds(
    rows,
    runs,
    sections.map((length) => take(length)),
  );
  const marks = take(rows);
  const groups = Array.from({ length: Math.ceil(rows / GROUP) }, () => take(HASH_BYTES));
  return { marks: ids.map((id, index) => ({ id, byte: marks[index] ?? 0 })), groups };
}

function unpackIds(rows: number, runs: readonly string[] | undefined, sections: readonly Buffer[]): string[] {
  if (!runs) return JSON.parse(sections[0]?.toString() ?? "[]") as string[];
  const [steps, places, counts] = sections.map(readVarint);
  let atMs = 0;
  return Array.from({ length: rows }, () => {
    atMs += steps?.next() ?? 0;
    return fullId(`0.${runs[places?.next() ?? 0]}.${counts?.next() ?? 0}`, atMs);
  });
}

/** What differs between what was sealed and what is there, by id. */
export interface RowDifferences {
  readonly missing: readonly string[];
  readonly added: readonly string[];
  readonly changed: readonly string[];
  /** Groups that differ without one of their marks telling which entry it is: first and last id. */
  readonly unclear: readonly (readonly [string, string])[];
}

/** @param rows what is there, sorted by id */
export function compareRows({ marks, groups }: RowSeals, rows: readonly SealedRow[]): RowDifferences {
  const there = new Map(rows.map((row) => [row.id, row]));
  const sealed = new Set(marks.map(({ id }) => id));
  const missing = marks.filter(({ id }) => !there.has(id)).map(({ id }) => id);
  const added = rows.filter(({ id }) => !sealed.has(id)).map(({ id }) => id);
  const changed = marks.filter(({ id, byte }) => there.has(id) && there.get(id)?.hash[0] !== byte).map(({ id }) => id);
  const named = new Set([...missing, ...changed]);
  const unclear = groups.flatMap((group, index): [string, string][] => {
    const members = marks.slice(index * GROUP, (index + 1) * GROUP);
    if (members.some(({ id }) => named.has(id))) return [];
    const same = sha256(...members.flatMap(({ id }) => there.get(id)?.hash ?? [])).equals(group);
    return same ? [] : [[members[0]?.id ?? "", members.at(-1)?.id ?? ""]];
  });
  return { missing, added, changed, unclear };
}
