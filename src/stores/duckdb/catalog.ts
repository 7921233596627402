/**
 * What counts in the archive. A volume counts when its seal is there, an hour file when open.json lists it and no volume has taken its
 * place. Both appear by a rename, so whoever reads sees each entry in exactly one of them; and both say how far the journal
 * is in them, so that an entry is never seen in the journal, too.
 */
import { readdir, stat } from "node:fs/promises";
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

/** Reads the days of a span, and those that nobody touches any more only once. */
export type Catalog = (span: Span) => Promise<Day[]>;

/** A directory's time of change tells of any file that came or went, but not more often than the system's clock ticks. */
const SETTLED_MS = 10_000;
const SETTLED_MAX = 10_000;

/** For somebody who asks again and again. A sealed day changes only by files that come, or when it goes. */
export function createCatalog(root: string): Catalog {
  const settled = new Map<string, { readonly changed: bigint; readonly day: Day }>();
  const dayOf = async (place: DayPlace): Promise<Day> => {
    const changed = await changedAt(place.dir);
    const known = settled.get(place.dir);
    if (known && changed === known.changed) return known.day;
    const day = await readDay(place);
    settled.delete(place.dir);
    const [oldest] = settled.keys();
    if (settled.size >= SETTLED_MAX && oldest !== undefined) settled.delete(oldest);
    const old = changed !== undefined && Date.now() - Number(changed / 1_000_000n) > SETTLED_MS;
    if (old && day.parts.length === 0 && day.volumes.length > 0) settled.set(place.dir, { changed, day });
    return day;
  };
  return async (span) => Promise.all((await dayPlaces(root, span)).map(dayOf));
}

/** undefined: it is gone. */
const changedAt = (dir: string): Promise<bigint | undefined> =>
  stat(dir, { bigint: true }).then(
    ({ mtimeNs }) => mtimeNs,
    () => undefined,
  );

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
