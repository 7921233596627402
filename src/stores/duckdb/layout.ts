/**
 * Where the archive lies. `date=2026-11-22/node=relay-7k3q/` holds a day of one node: hour files while it goes on ("07.parquet", listed in
 * open.json), then one volume ("day.parquet" with day.rows and day.index beside it), which counts from the moment day.seal is
 * there. Entries that turn up later make a volume of their own ("late-1").
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

export const OPEN_FILE = "open.json";

/** A directory of one day and node. */
export interface DayPlace {
  readonly date: string;
  readonly node: string;
  readonly dir: string;
}

const DATE = /^date=(\d{4}-\d{2}-\d{2})$/;
const NODE = /^node=([a-z0-9][a-z0-9.-]{0,62})$/;

export const dayDir = (root: string, date: string, node: string): string => join(root, `date=${date}`, `node=${node}`);

export const parquetOf = (volume: string): string => `${volume}.parquet`;
export const rowsOf = (volume: string): string => `${volume}.rows`;
export const indexOf = (volume: string): string => `${volume}.index`;
export const sealOf = (volume: string): string => `${volume}.seal`;

const VOLUME_SEAL = /^(day|late-\d+)\.seal$/;
/** undefined: no seal's name. */
export const volumeOfSeal = (name: string): string | undefined => VOLUME_SEAL.exec(name)?.[1];

/** Volumes of a day in the order in which they can have been made. */
export const volumeName = (count: number): string => (count === 0 ? "day" : `late-${count}`);

async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}

export interface Span {
  /** From this day on. */
  readonly first?: string;
  /** To this day, inclusive. */
  readonly last?: string;
  /** Only of this node. */
  readonly node?: string;
}

/** The days there are, oldest first. */
export async function dayPlaces(root: string, { first = "", last = "9999", node }: Span = {}): Promise<DayPlace[]> {
  const dates = (await namesIn(root)).flatMap((name) => DATE.exec(name)?.[1] ?? []);
  const wanted = dates.filter((date) => date >= first && date <= last);
  const places = await Promise.all(
    wanted.map(async (date) => {
      const names = await namesIn(join(root, `date=${date}`));
      const nodes = names.flatMap((name) => NODE.exec(name)?.[1] ?? []);
      return nodes
        .filter((each) => node === undefined || each === node)
        .map((each) => ({ date, node: each, dir: dayDir(root, date, each) }));
    }),
  );
  return places.flat();
}

/** The day a moment lies in, UTC: "2026-11-22". */
export const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
