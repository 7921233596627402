/** Days that go, and what a crash left behind. */
import { readdir, rename, rm, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Removal } from "../../ledger/seal.ts";
import { type Part, readDay, writeOpen } from "./catalog.ts";
import { addRemoval, readChain } from "./chain.ts";
import { UNFINISHED } from "./durable.ts";
import { type DayPlace, dayDir, dayPlaces, OPEN_FILE, sealOf } from "./layout.ts";

interface Place {
  readonly root: string;
  readonly node: string;
  /** So long hour files stay when a volume has taken their place: a search may have begun with them. Default: an hour. */
  readonly graceMs?: number;
}

const GRACE_MS = 3_600_000;

/** What a deleted directory is called until its files are gone. */
const GOING = ".going-";

interface Removing extends Place {
  readonly date: string;
  readonly nowMs: number;
}

/** First the note, then the directory leaves its name in one step, then its files go. */
export async function removeDay({ root, node, date, nowMs }: Removing): Promise<Removal[]> {
  const dir = dayDir(root, date, node);
  const { volumes } = await readDay({ date, node, dir });
  const known = new Set((await readChain(root, node)).removals.map(({ seq }) => seq));
  const removals = volumes.map(({ seal, digest }) => ({
    seq: seal.seq,
    date,
    volume: seal.volume,
    digest,
    entries: seal.entries,
    removedAt: new Date(nowMs).toISOString(),
  }));
  for (const removal of removals) if (!known.has(removal.seq)) await addRemoval(root, node, removal);
  const going = join(dirname(dir), `${GOING}${node}`);
  await rm(going, { recursive: true, force: true });
  await rename(dir, going);
  await rm(going, { recursive: true, force: true });
  await removeIfEmpty(dirname(dir));
  return removals;
}

/** Other nodes may have their part of that day in it. */
const removeIfEmpty = (dir: string): Promise<void> => rmdir(dir).catch(() => undefined);

/** What nobody reads any more. */
interface Litter {
  /** Directories of days that are going. */
  readonly going: readonly string[];
  readonly files: readonly string[];
  /** Days whose list of hours names some that are in a volume, and what it shall name. */
  readonly lists: readonly { readonly place: DayPlace; readonly parts: readonly Part[] }[];
}

async function findLitter({ root, node, graceMs = GRACE_MS }: Place): Promise<Litter> {
  const going: string[] = [];
  for (const name of await readdir(root)) {
    if (!name.startsWith("date=")) continue;
    const names = await readdir(join(root, name)).catch((): string[] => []);
    if (names.includes(`${GOING}${node}`)) going.push(join(root, name, `${GOING}${node}`));
  }
  const files: string[] = [];
  const lists: Litter["lists"][number][] = [];
  for (const place of await dayPlaces(root, { node })) {
    const { volumes, parts, replacedParts } = await readDay(place);
    const names = new Set(await readdir(place.dir));
    const replaced: string[] = [];
    for (const { seal } of volumes) {
      const there = seal.replaces.filter((name) => names.has(name));
      if (there.length > 0 && (await ageMs(join(place.dir, sealOf(seal.volume)))) >= graceMs) replaced.push(...there);
    }
    const unfinished = [...names].filter((name) => name.endsWith(UNFINISHED));
    files.push(...[...replaced, ...unfinished].map((name) => join(place.dir, name)));
    if (replacedParts > 0) lists.push({ place, parts });
  }
  return { going, files, lists };
}

const ageMs = async (path: string): Promise<number> => Date.now() - (await stat(path)).mtimeMs;

export async function isTidy(place: Place): Promise<boolean> {
  const { going, files, lists } = await findLitter(place);
  return going.length + files.length + lists.length === 0;
}

/** Only while nobody else works on the archive of this node. */
export async function tidy(place: Place): Promise<void> {
  const { going, files, lists } = await findLitter(place);
  for (const path of going) {
    await rm(path, { recursive: true, force: true });
    await removeIfEmpty(dirname(path));
  }
  for (const path of files) await unlink(path);
  for (const { place: day, parts } of lists) {
    if (parts.length > 0) await writeOpen(day, parts);
    else await unlink(join(day.dir, OPEN_FILE));
  }
}
