/** The whole archive against its seals: every file's hash, and where one differs, which entries are others than were sealed. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkChain, isPublicKey, keysByFingerprint, type PlacedSeal, type Trouble } from "../../ledger/chain-check.ts";
import type { Tip, Verification, Witnesses } from "../../ledger/verify.ts";
import { type Day, readCatalog } from "./catalog.ts";
import { publicKeyPath, readChain } from "./chain.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./database.ts";
import { factsOf, readIfThere, UNFINISHED } from "./durable.ts";
import { indexOf, OPEN_FILE, parquetOf, rowsOf, sealOf, volumeOfSeal } from "./layout.ts";
import { checkRows } from "./row-check.ts";

export interface VerifyOptions extends DatabaseOptions, Witnesses {
  /** Directory of the archive. */
  readonly root: string;
  /** The node whose journal the witnesses come from: what others did last may be in entries out of reach. undefined: none are. */
  readonly node?: string;
  /** Told after each day, of how many. */
  onDay?(done: number, of: number): void;
}

/** @throws Unavailable or an error of the disk when the archive cannot be read at all */
export async function verifyArchive(options: VerifyOptions): Promise<Verification> {
  const { root, onDay } = options;
  const days = await readCatalog(root);
  const database = await openDatabase(options);
  try {
    const troubles: Trouble[] = [];
    const notes: string[] = [];
    const nodes = new Set([...days.map(({ node }) => node), ...(await nodesWithSeals(root))]);
    for (const node of [...nodes].sort()) {
      const chain = await checkNode(
        node,
        days.filter((day) => day.node === node),
        options,
      );
      troubles.push(...chain.troubles);
      notes.push(...chain.notes);
    }
    let done = 0;
    for (const day of days) {
      troubles.push(...(await checkDay(day, database)));
      done += 1;
      onDay?.(done, days.length);
    }
    return { ...summaryOf(days), troubles, notes: [...notes, ...days.flatMap(lateNotes)] };
  } finally {
    await database.close();
  }
}

function summaryOf(days: readonly Day[]): Omit<Verification, "troubles" | "notes"> {
  const seals = days.flatMap(({ volumes }) => volumes);
  const tips = new Map<string, Tip>();
  for (const { seal, digest } of [...seals].sort((a, b) => a.seal.seq - b.seal.seq)) {
    const { node, seq, date, key } = seal;
    tips.set(node, { node, seq, date, digest, key });
  }
  return {
    days: days.filter(({ volumes }) => volumes.length > 0).length,
    entries: seals.reduce((sum, { seal }) => sum + seal.entries, 0),
    tips: [...tips.values()],
    open: days.filter(({ parts }) => parts.length > 0).map(({ date }) => date),
  };
}

/**
 * Names everything that counts, so that two of them differ when the archive was put in order meanwhile: then what looked wrong may have
 * been only half done.
 */
export async function archiveState(root: string): Promise<string> {
  const days = await readCatalog(root);
  const chains = await Promise.all((await nodesWithSeals(root)).map((node) => readChain(root, node)));
  const counted = days.map(({ dir, volumes, parts }) => [dir, volumes.map(({ digest }) => digest), parts]);
  return JSON.stringify([counted, chains]);
}

/** Entries may turn up after their day was sealed, for good reasons; whoever checks should know of them. */
function lateNotes({ date, node, volumes, parts }: Day): string[] {
  const late = volumes.filter(({ seal }) => seal.volume !== "day");
  return [
    ...late.map(
      ({ seal }) =>
        `day ${date} of node ${node} got ${seal.entries} more entries after it was sealed: ${seal.volume}, sealed at ${seal.sealedAt}`,
    ),
    ...(parts.length > 0 && volumes.length > 0
      ? [`day ${date} of node ${node} has entries that came after it was sealed and are in no seal yet`]
      : []),
  ];
}

/** Also nodes all of whose days are gone. */
async function nodesWithSeals(root: string): Promise<string[]> {
  const names = await readdir(join(root, "seals")).catch(() => []);
  return names.flatMap((name) => /^(.+)\.jsonl$/.exec(name)?.[1] ?? []);
}

async function checkNode(node: string, days: readonly Day[], options: VerifyOptions) {
  const { root, keys, anchors, deletions } = options;
  const { links, removals } = await readChain(root, node);
  const given = keysByFingerprint(keys);
  const beside = keysByFingerprint(pemsIn((await readIfThere(publicKeyPath(root, node))) ?? "").filter(isPublicKey));
  const seals = await sealsOf(days);
  const used = [...new Set(seals.map(({ seal }) => seal.key))].filter((key) => !given.has(key) && beside.has(key));
  const troubles = checkChain({
    node,
    seals,
    listed: links,
    listedRemovals: removals,
    anchors: anchors.filter((anchor) => anchor.node === node),
    deletions,
    allEntries: options.node === undefined || node === options.node,
    keys: new Map([...beside, ...given]),
  });
  const notes = used.map(
    (key) => `key ${key} of node ${node} is known from the archive alone: compare it, or give it with --key`,
  );
  return { troubles, notes };
}

const PEM = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g;
const pemsIn = (text: string): string[] => text.match(PEM) ?? [];

/** With the name under which each lies. A volume of the catalog does not tell: it goes by what the seal says. */
async function sealsOf(days: readonly Day[]): Promise<PlacedSeal[]> {
  const found: PlacedSeal[] = [];
  for (const { date, node, dir, volumes } of days) {
    for (const name of await readdir(dir).catch(() => [])) {
      const volume = volumeOfSeal(name);
      if (volume === undefined) continue;
      const text = await readFile(join(dir, name), "utf8").catch(() => "");
      const read = volumes.find(({ line, signature }) => text === `${line}\n${signature}\n`);
      if (read) found.push({ ...read, place: { date, node, volume } });
    }
  }
  return found.sort((a, b) => a.seal.seq - b.seal.seq);
}

async function checkDay(day: Day, database: Database): Promise<Trouble[]> {
  const troubles: Trouble[] = [];
  const names = new Set(await readdir(day.dir).catch(() => []));
  const expected = new Set([OPEN_FILE, ...day.parts.map(({ file }) => file)]);
  for (const name of names) {
    const volume = volumeOfSeal(name);
    if (volume === undefined) continue;
    for (const each of [name, parquetOf(volume), rowsOf(volume), indexOf(volume)]) expected.add(each);
  }
  for (const volume of day.volumes) {
    for (const { name } of volume.seal.files) expected.add(name);
    for (const name of volume.seal.replaces) expected.add(name);
    troubles.push(...(await checkVolume(day, volume, database)));
  }
  const { node, date } = day;
  const broken = [...names].filter((name) => volumeOfSeal(name) !== undefined && !isReadable(name, day));
  const strays = [...names].filter((name) => !expected.has(name) && !name.endsWith(UNFINISHED));
  return [
    ...broken.map((name) => ({ node, date, says: `its seal ${name} was changed: it cannot be read` })),
    ...troubles,
    ...strays.map((name) => ({ node, date, says: `${name} was added: no seal speaks of it` })),
  ];
}

const isReadable = (name: string, { volumes }: Day): boolean =>
  volumes.some(({ seal }) => sealOf(seal.volume) === name);

/** Compares files by their hashes; rows only where the Parquet file is another one. */
async function checkVolume(day: Day, volume: Day["volumes"][number], database: Database): Promise<Trouble[]> {
  const { node, date, dir } = day;
  const at = { node, date };
  const troubles: Trouble[] = [];
  const intact = new Set<string>();
  for (const { name, bytes, sha256 } of volume.seal.files) {
    const facts = await factsOf(join(dir, name));
    if (facts?.sha256 === sha256 && facts.bytes === bytes) intact.add(name);
    else troubles.push({ ...at, says: facts ? `${name} was changed` : `${name} is missing` });
  }
  if (troubles.length === 0) return troubles;
  return [...troubles, ...(await checkRows({ dir, at, volume, intact, database }))];
}
