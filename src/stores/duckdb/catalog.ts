/**
 * What counts in the archive. A volume counts when its seal is there, an hour file when open.json lists it and no volume has taken its
 * place. Both appear by a rename, so whoever reads sees each entry in exactly one of them; and both say how far the journal
 * is in them, so that an entry is never seen in the journal, too.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Taken } from "../../ledger/journal.ts";
import { type ReadSeal, readSeal } from "../../ledger/seal.ts";
import { readIfThere, writeDurably } from "./durable.ts";
import { type DayPlace, dayPlaces, OPEN_FILE, type Span, volumeOfSeal } from "./layout.ts";

/** An hour file. */
export interface Part {
  readonly file: string;
  readonly rows: number;
  readonly taken: Readonly<Record<string, number>>;
}

/** A sealed volume. */
export interface Volume extends ReadSeal {
  readonly path: DayPlace;
}

export interface Day extends DayPlace {
  /** Not in any volume yet. */
  readonly parts: readonly Part[];
  /** How many are listed still that are in a volume. */
  readonly replacedParts: number;
  readonly volumes: readonly Volume[];
}

export interface OpenRecord {
  readonly schema: 1;
  readonly parts: readonly Part[];
}

export const writeOpen = (place: DayPlace, parts: readonly Part[]): Promise<void> =>
  writeDurably(join(place.dir, OPEN_FILE), `${JSON.stringify({ schema: 1, parts } satisfies OpenRecord)}\n`);

async function readOpen(place: DayPlace): Promise<readonly Part[]> {
  const text = await readIfThere(join(place.dir, OPEN_FILE));
  return text === undefined ? [] : (JSON.parse(text) as OpenRecord).parts;
}

/** Before its volumes, so that an hour file which one of them takes the place of is never missed in both. */
export async function readDay(place: DayPlace): Promise<Day> {
  const open = await readOpen(place);
  const volumes: Volume[] = [];
  for (const name of await namesOf(place.dir)) {
    if (volumeOfSeal(name) === undefined) continue;
    const read = readSeal((await readIfThere(join(place.dir, name))) ?? "");
    if (read) volumes.push({ ...read, path: place });
  }
  volumes.sort((a, b) => a.seal.seq - b.seal.seq);
  const replaced = new Set(volumes.flatMap(({ seal }) => seal.replaces));
  const parts = open.filter(({ file }) => !replaced.has(file));
  return { ...place, volumes, parts, replacedParts: open.length - parts.length };
}

async function namesOf(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

export async function readCatalog(root: string, span: Span = {}): Promise<Day[]> {
  return Promise.all((await dayPlaces(root, span)).map(readDay));
}

/** How far the journal's sources are in these days. */
export function takenIn(days: readonly Day[]): Taken {
  const taken = new Map<string, number>();
  for (const { parts, volumes } of days) {
    for (const record of [...parts.map((part) => part.taken), ...volumes.map(({ seal }) => seal.taken)]) {
      for (const [name, to] of Object.entries(record)) taken.set(name, Math.max(to, taken.get(name) ?? 0));
    }
  }
  return taken;
}
