/** The archive of this node: Parquet files, written by DuckDB. */
import { mkdirSync } from "node:fs";
import { readdir, rename, rm, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Archive, Sealed } from "../../ledger/archive.ts";
import { type Removal, type Seal, type SealKey, writeSeal } from "../../ledger/seal.ts";
import { type Day, readCatalog, readDay, takenIn, writeOpen } from "./catalog.ts";
import { addLink, addRemoval, linkOf, publicKeyPath, readChain, textDigest } from "./chain.ts";
import { type Database, openDatabase } from "./database.ts";
import { readIfThere, UNFINISHED, writeDurably } from "./durable.ts";
import { dayDir, dayPlaces, OPEN_FILE, sealOf, volumeName } from "./layout.ts";
import { absorbHour } from "./part.ts";
import { writeVolume } from "./volume.ts";

export interface ArchiveOptions {
  /** Directory of the archive; may be shared by nodes. */
  readonly root: string;
  /** Name of this node, unlike any other's. */
  readonly node: string;
  readonly key: SealKey;
  /** Private directory for what is being worked on. */
  readonly tempDir: string;
  readonly memoryMb: number;
  readonly threads?: number;
}

/** What a deleted directory is called until its files are gone. */
const GOING = ".going-";

export async function openArchive(options: ArchiveOptions): Promise<Archive> {
  const { root, node } = options;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  let opened: Promise<Database> | undefined;
  const database = (): Promise<Database> => {
    opened ??= openDatabase(options);
    return opened;
  };
  const own = (): Promise<Day[]> => readCatalog(root, { node });
  return {
    node,
    async taken(sources) {
      const dates = new Set(sources.map(({ hour }) => hour.slice(0, 10)));
      const days = [...dates].map((date) => readDay({ date, node, dir: dayDir(root, date, node) }));
      return takenIn(await Promise.all(days));
    },
    async absorb(hour) {
      return absorbHour(hour, { root, node, database: await database() });
    },
    async openDays() {
      return (await own()).filter(({ parts }) => parts.some(({ rows }) => rows > 0)).map(({ date }) => date);
    },
    seal: async (date, nowMs) => sealDay({ ...options, date, nowMs, database: await database() }),
    sealed: async () => (await own()).flatMap(sealedOf),
    remove: (date, nowMs) => removeDay({ ...options, date, nowMs }),
    tidy: () => tidy(root, node),
    async close() {
      await (await opened)?.close();
    },
  };
}

const sealedOf = ({ volumes }: Day): Sealed[] =>
  volumes.map(({ seal, digest }) => ({ seal, digest, bytes: seal.files.reduce((sum, { bytes }) => sum + bytes, 0) }));

interface Sealing extends ArchiveOptions {
  readonly date: string;
  readonly nowMs: number;
}

async function sealDay(sealing: Sealing & { database: Database }): Promise<Sealed | undefined> {
  const { root, node, date, nowMs, key, database } = sealing;
  const day = await readDay({ date, node, dir: dayDir(root, date, node) });
  if (!day.parts.some(({ rows }) => rows > 0)) return undefined;
  const volume = volumeName(day.volumes.length);
  const content = await writeVolume(day, volume, database);
  const { last, pending } = await endOfChain(root, node);
  const seal: Seal = {
    schema: 1,
    node,
    date,
    volume,
    seq: (last?.seq ?? 0) + 1,
    previous: last?.digest ?? null,
    sealedAt: new Date(nowMs).toISOString(),
    ...content,
    replaces: day.parts.map(({ file }) => file),
    taken: Object.fromEntries(takenIn([{ ...day, volumes: [] }])),
    removed: pending,
    key: key.fingerprint,
  };
  const text = writeSeal(seal, key);
  await keepPublicKey(root, node, key);
  await writeDurably(join(day.dir, sealOf(volume)), text);
  const sealed = { seal, digest: textDigest(text), bytes: content.files.reduce((sum, { bytes }) => sum + bytes, 0) };
  await addLink(root, node, linkOf(sealed));
  return sealed;
}

/** The newest seal, and the days deleted since. A link that a crash kept from the list is taken from the day itself. */
async function endOfChain(root: string, node: string) {
  const { links, pending } = await readChain(root, node);
  const known = links.at(-1);
  const days = (await readCatalog(root, { node })).flatMap(({ volumes }) => volumes);
  const newer = days.filter(({ seal }) => seal.seq > (known?.seq ?? 0)).sort((a, b) => a.seal.seq - b.seal.seq);
  for (const volume of newer) await addLink(root, node, linkOf(volume));
  const newest = newer.at(-1);
  return { last: newest ? linkOf(newest) : known, pending };
}

async function keepPublicKey(root: string, node: string, key: SealKey): Promise<void> {
  const path = publicKeyPath(root, node);
  const there = (await readIfThere(path)) ?? "";
  if (!there.includes(key.publicPem.trim())) await writeDurably(path, there + key.publicPem);
}

/** First the note, then the directory leaves its name in one step, then its files go. */
async function removeDay({ root, node, date, nowMs }: Sealing): Promise<Removal[]> {
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

async function removeIfEmpty(dir: string): Promise<void> {
  if ((await readdir(dir)).length === 0) await rm(dir, { recursive: true });
}

async function tidy(root: string, node: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith("date=")) continue;
    await rm(join(root, name, `${GOING}${node}`), { recursive: true, force: true });
    await removeIfEmpty(join(root, name));
  }
  for (const place of await dayPlaces(root, { node })) {
    const day = await readDay(place);
    const replaced = new Set(day.volumes.flatMap(({ seal }) => seal.replaces));
    for (const name of await readdir(place.dir)) {
      if (replaced.has(name) || name.endsWith(UNFINISHED)) await unlink(join(place.dir, name));
    }
    if (day.replacedParts === 0) continue;
    if (day.parts.length > 0) await writeOpen(place, day.parts);
    else await unlink(join(place.dir, OPEN_FILE));
  }
}
