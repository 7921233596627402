/** The archive of this node: Parquet files, written by DuckDB. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Archive, Sealed } from "../../ledger/archive.ts";
import { type Seal, type SealKey, writeSeal } from "../../ledger/seal.ts";
import { type Day, readCatalog, readDay, takenIn } from "./catalog.ts";
import { addLink, linkOf, publicKeyPath, readChain, textDigest } from "./chain.ts";
import type { Database, DatabaseOptions } from "./database.ts";
import { readIfThere, writeDurably } from "./durable.ts";
import { openLocked } from "./keeper-lock.ts";
import { dayDir, sealOf, volumeName } from "./layout.ts";
import { absorbHour } from "./part.ts";
import { isTidy, removeDay, tidy } from "./tidy.ts";
import { writeVolume } from "./volume.ts";

export interface ArchivePlace {
  /** Directory of the archive; may be shared by nodes. */
  readonly root: string;
  /** Name of this node, unlike any other's. */
  readonly node: string;
}

/** With a private directory of this data directory alone: what is being worked on, and the lock, lie there. */
export interface ArchiveOptions extends ArchivePlace, DatabaseOptions {
  readonly key: SealKey;
  /** So long hour files stay when a volume has taken their place, ms. */
  readonly graceMs?: number;
}

/** What can be told of a node's archive without changing it. */
export function readArchive({ root, node }: ArchivePlace): Pick<Archive, "node" | "taken" | "openDays" | "sealed"> {
  const own = (): Promise<Day[]> => readCatalog(root, { node });
  return {
    node,
    async taken(sources) {
      const dates = new Set(sources.map(({ hour }) => hour.slice(0, 10)));
      const days = [...dates].map((date) => readDay({ date, node, dir: dayDir(root, date, node) }));
      return takenIn(await Promise.all(days));
    },
    async openDays() {
      return (await own()).filter(({ parts }) => parts.some(({ rows }) => rows > 0)).map(({ date }) => date);
    },
    sealed: async () => (await own()).flatMap(sealedOf),
  };
}

/** @throws Unavailable("ledger") from whatever changes something, while another process does so */
export async function openArchive(options: ArchiveOptions): Promise<Archive> {
  const { root, node } = options;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  let opened: Promise<Database> | undefined;
  const database = (): Promise<Database> => {
    opened ??= openLocked(options).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  return {
    ...readArchive(options),
    async absorb(hour) {
      return absorbHour(hour, { root, node, database: await database() });
    },
    seal: async (date, nowMs) => sealDay({ ...options, date, nowMs, database: await database() }),
    async remove(date, nowMs) {
      await database();
      return removeDay({ ...options, date, nowMs });
    },
    async tidy() {
      if (await isTidy(options)) return;
      await database();
      await tidy(options);
    },
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
