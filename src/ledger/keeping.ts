/**
 * Keeping house: hours leave the journal, days are sealed, days whose time is over are deleted. Run every few minutes; each step may be cut
 * off at any point and is made again by the next run, so a service that was stopped catches up.
 */
import type { Key, Tables } from "../kit/store.ts";
import type { Archive, Sealed } from "./archive.ts";
import type { ClockGuard, Moment } from "./clock-guard.ts";
import { type Hold, holdOn } from "./holds.ts";
import type { Journal, Source, Taken } from "./journal.ts";
import type { Recorder } from "./recorder.ts";

export interface Keeping {
  readonly journal: Journal;
  readonly archive: Archive;
  readonly recorder: Recorder;
  /** @throws Unavailable; then nothing is deleted */
  holds(): Promise<readonly Hold[]>;
  readonly clockGuard: ClockGuard;
  readonly announced: Announced;
  /** Full days every entry is kept. */
  readonly retentionDays: number;
  /** Told of each seal, for anchors; once, or after a crash twice. */
  onSealed?(sealed: Sealed): Promise<void>;
}

/** Up to which seal everybody who has to be was told. @throws Unavailable */
export interface Announced {
  upTo(): Promise<number>;
  advance(seq: number): Promise<void>;
}

export function createAnnounced(tables: Tables, node: string): Announced {
  const key: Key = { partition: node, id: "announced" };
  return {
    upTo: async () => Number((await tables.get(TABLE, key))?.value ?? 0),
    advance: async (seq) => {
      await tables.put(TABLE, key, seq);
    },
  };
}

const TABLE = "ledger-seals";

/** What a run did. */
export interface Kept {
  readonly hours: number;
  readonly entries: number;
  readonly sealed: readonly string[];
  readonly deleted: readonly string[];
  /** Days whose time is over, and the case that keeps each. */
  readonly held: readonly { readonly date: string; readonly case: string }[];
  /** Days that would be deleted if the clock were believed, and by how much it jumped, ms. */
  readonly doubted?: { readonly dates: readonly string[]; readonly jumpMs: number };
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** A day is sealed so long after its end: whatever belongs to it has come by then. */
const SEAL_AFTER_MS = 3_600_000;

/** The first millisecond after a day, UTC. */
export const endOf = (date: string): number => Date.parse(date) + DAY_MS;

/** When a day may be deleted: its last entry has been kept for all the days by then. */
export const dueAt = (date: string, retentionDays: number): number => endOf(date) + retentionDays * DAY_MS;

/** @throws Unavailable when disk or store fail; what was done until then stays done */
export async function keepLedger(keeping: Keeping, now: Moment): Promise<Kept> {
  await keeping.archive.tidy();
  const absorbed = await absorb(keeping, now.nowMs);
  const sealed = await sealDays(keeping, now.nowMs);
  await announce(keeping);
  return { ...absorbed, sealed, ...(await deleteDue(keeping, now)) };
}

async function absorb({ journal, archive }: Keeping, nowMs: number): Promise<Pick<Kept, "hours" | "entries">> {
  const taken = await archive.taken(await journal.sources());
  await journal.forget(taken);
  let entries = 0;
  const hours = await journal.closedHours(nowMs, taken);
  for (const hour of hours) {
    entries += await archive.absorb(hour);
    await journal.forget(hour.taken);
  }
  return { hours: hours.length, entries };
}

async function sealDays({ journal, archive }: Keeping, nowMs: number): Promise<string[]> {
  const sealed: string[] = [];
  for (const date of await archive.openDays()) {
    if (endOf(date) + SEAL_AFTER_MS > nowMs || (await hasMore(journal, archive, date))) continue;
    if (await archive.seal(date, nowMs)) sealed.push(date);
  }
  return sealed;
}

/** Each seal becomes an entry of the ledger and an anchor outside of it; one that a crash kept from that, later. */
async function announce({ archive, recorder, announced, onSealed }: Keeping): Promise<void> {
  const upTo = await announced.upTo();
  const news = (await archive.sealed()).filter(({ seal }) => seal.seq > upTo).sort((a, b) => a.seal.seq - b.seal.seq);
  for (const made of news) {
    const { seal, digest } = made;
    const { node, date, volume, seq, entries } = seal;
    await recorder.record([
      { event: "day-sealed", actor: ACTOR, evidence: { node, date, volume, seq, entries, digest } },
    ]);
    await onSealed?.(made);
    await announced.advance(seq);
  }
}

/** Is there something of this day in the journal yet? */
async function hasMore(journal: Journal, archive: Archive, date: string): Promise<boolean> {
  const sources = (await journal.sources()).filter(({ hour }) => hour.startsWith(date));
  const taken = await archive.taken(sources);
  return sources.some((source) => !isTaken(source, taken));
}

const isTaken = ({ name }: Source, taken: Taken): boolean => taken.has(name);

async function deleteDue(keeping: Keeping, now: Moment): Promise<Pick<Kept, "deleted" | "held" | "doubted">> {
  const { archive, retentionDays } = keeping;
  const seals = (await archive.sealed()).map(({ seal }) => seal);
  const written = seals.length === 0 ? undefined : Math.max(...seals.map(({ sealedAt }) => Date.parse(sealedAt)));
  const { believed, jumpMs } = await keeping.clockGuard.check(now, written);
  const due = [...new Set(seals.map(({ date }) => date))]
    .filter((date) => dueAt(date, retentionDays) <= now.nowMs)
    .sort();
  if (due.length === 0) return { deleted: [], held: [] };
  if (!believed) {
    await tellDoubt(keeping, due, jumpMs);
    return { deleted: [], held: [], doubted: { dates: due, jumpMs } };
  }
  const holds = await keeping.holds();
  const held = due.flatMap((date) => {
    const hold = holdOn(date, holds);
    return hold ? [{ date, case: hold.case }] : [];
  });
  const deleted = due.filter((date) => !held.some((each) => each.date === date));
  for (const date of deleted) await deleteDay(keeping, date, now.nowMs);
  return { deleted, held };
}

async function tellDoubt({ clockGuard, recorder }: Keeping, dates: readonly string[], jumpMs: number): Promise<void> {
  if (!(await clockGuard.isNews(dates))) return;
  const evidence = {
    days: dates.length,
    first: dates[0] ?? "",
    last: dates.at(-1) ?? "",
    jumpHours: Math.round(jumpMs / HOUR_MS),
  };
  await recorder.record([{ event: "clock-doubted", actor: ACTOR, evidence }]);
  await clockGuard.told(dates);
}

const ACTOR = "housekeeping";

/** Written down before it is done: a deletion that is not in the ledger there is not. */
async function deleteDay({ archive, recorder, retentionDays }: Keeping, date: string, nowMs: number): Promise<void> {
  const volumes = (await archive.sealed()).filter(({ seal }) => seal.date === date);
  const entries = volumes.reduce((sum, { seal }) => sum + seal.entries, 0);
  const digest = volumes.map((volume) => volume.digest).join(" ");
  const { node } = archive;
  await recorder.record([
    { event: "day-deleted", actor: ACTOR, evidence: { node, date, entries, retentionDays, digest } },
  ]);
  await archive.remove(date, nowMs);
}
