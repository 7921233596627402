/**
 * The spool on this machine: an LMDB of its own under dataDir, shared by the processes of one service and by commands. Writes share
 * commits (stores/lmdb/environment.ts), so a mail costs a part of a flush.
 */
import { randomUUID } from "node:crypto";
import type { Parcel } from "../../delivery/next-hop.ts";
import type { Ask, NewMail, Settlement, Spool } from "../../delivery/queue/spool.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { Environment } from "../lmdb/environment.ts";
import { bytesIn } from "./bodies.ts";
import { bringBack, noteClock } from "./clock-back.ts";
import { createContents } from "./contents.ts";
import { keepFresh, takeFresh } from "./fresh.ts";
import { endLease, takeDue, takeLate } from "./leasing.ts";
import { createOwner, HEARTBEAT_MS, helpersIn, type Moment, type Owner, SILENT_MS } from "./owners.ts";
import { checkFileSystem, claim } from "./place.ts";
import { type Recovered, recover, type WereEntered } from "./recovery.ts";
import { idKey, NAMES, type Name, readDestination, readRow, readTimed, type Tables } from "./rows.ts";
import { confirm, remove, settle, store } from "./settling.ts";
import { type Space, watchSpace } from "./space.ts";
import { retime } from "./turns.ts";

export interface SpoolOptions {
  readonly dir: string;
  /** Longest wait for one commit, ms. */
  readonly timeoutMs: number;
  /** A larger content lies in a file of its own, bytes. */
  readonly inlineBytesMax: number;
  /** Kept free on the disk, bytes. */
  readonly reserveBytes: number;
  /** Most mails. */
  readonly mailsMax: number;
  readonly now: () => number;
  /** The machine's clock that nobody sets, ms; absent: where there is none, a jump of the other is not noticed. */
  readonly steadyMs?: (() => number) | undefined;
  /** service: the only one on this spool; helper: a process of that service. */
  readonly role: "service" | "helper";
  /** The same for all processes of one service, where there are several. */
  readonly service?: string | undefined;
  /** Id of the process that started them. */
  readonly keeper?: number | undefined;
  readonly wereEntered: WereEntered;
}

export interface SpoolSize {
  /** Whatever their state. */
  readonly mails: number;
  /** Being tried for a second already, or again; one for each destination of a mail. */
  readonly leased: number;
  /** When the first mail is due that nobody tries, ms since 1970; absent: none waits. */
  readonly dueAt?: number;
}

export interface OpenSpool extends Spool {
  /** Ends leases of owners that are gone, and settles what they were taking in. */
  recover(): Promise<Recovered>;
  /** Where the clock has gone back: mails that wait for times which are hours away are brought back. @returns how many; undefined: it has not */
  keepTime(): Promise<number | undefined>;
  /** How much there is, at the cost of a look. */
  size(): Promise<SpoolSize>;
  /** Can it keep another mail: is there room, does its disk take a write? @throws Unavailable("disk") */
  ping(): Promise<void>;
  /** Processes of this service that only deliver and are there. */
  helpers(): Promise<number>;
  /** Gives back what this process had leased. */
  giveBack(leases: readonly { readonly mail: { readonly id: string }; readonly turn: string }[]): Promise<void>;
}

/** Six turns cost a mail a seventh less processor time than none, three half of that. */
const COMPANY_TURNS = 6;

export const openEnvironment = (dir: string, timeoutMs: number): Environment<Name> =>
  new Environment<Name>({
    ...{ dir, names: NAMES, binary: ["bodies"], dependency: "disk", timeoutMs },
    companyTurns: COMPANY_TURNS,
  });

/** Bytes of content that weigh as much in a commit as one row. */
const BYTES_PER_WEIGHT = 4_096;

/** @throws Misuse when the directory cannot be the spool of this service, or is another's; Unavailable when the disk fails */
export async function openSpool(options: SpoolOptions): Promise<OpenSpool> {
  const { dir, timeoutMs, now, steadyMs = now, role } = options;
  checkFileSystem(dir);
  const environment = openEnvironment(dir, timeoutMs);
  const service = options.service ?? randomUUID();
  const owner = role === "service" ? createOwner(service, options.keeper) : createOwner();
  const at = (): Moment => ({ nowMs: now(), steadyMs: steadyMs() });
  const beatNow = (dbs: Tables): void => {
    owner.beat(dbs, at());
    noteClock(dbs, now());
  };
  try {
    const isFirst = await environment.write((dbs) => {
      const nobodyThere = role === "service" && claim(dbs, { dir, service, at: at(), adopt: false });
      beatNow(dbs);
      return nobodyThere;
    });
    return await buildSpool(options, environment, { owner, isFirst, beatNow, at });
  } catch (error) {
    await environment.close();
    throw error;
  }
}

interface Ours {
  readonly owner: Owner;
  readonly isFirst: boolean;
  readonly beatNow: (dbs: Tables) => void;
  readonly at: () => Moment;
}

async function buildSpool(
  options: SpoolOptions,
  environment: Environment<Name>,
  { owner, isFirst, beatNow, at }: Ours,
): Promise<OpenSpool> {
  const { dir, now, reserveBytes, mailsMax } = options;
  const contents = createContents(dir, environment, options.inlineBytesMax);
  const mails = () => environment.read(({ mails: rows }) => entriesIn(rows.getStats()));
  const space = await watchSpace({ dir, reserveBytes, mailsMax, mails });
  // Another process of the service may just be writing what no row names yet.
  if (isFirst) await contents.sweep();
  const beat = setInterval(() => {
    environment.write(beatNow).catch(() => undefined);
  }, HEARTBEAT_MS).unref();
  const hasJumped = createJumpWatch(now, options.steadyMs);
  const probe = createProbe(() => environment.write(beatNow));
  const taker = (dbs: Parameters<typeof takeDue>[0]["dbs"]) => ({ dbs, owner: owner.name });
  return {
    full: () => space.full(),
    ...arrivals({ environment, owner, contents, space }),
    take: (ask: Ask) => environment.write((dbs) => takeDue(taker(dbs), ask), ask.max),
    fresh: (ids) => environment.read((dbs) => takeFresh(dbs, ids, now())),
    keep: (lease) => environment.write((dbs) => keepFresh(taker(dbs), lease)),
    takeLate: (ask) => environment.write((dbs) => takeLate(taker(dbs), ask), ask.max),
    async settle(settlement: Settlement) {
      const weight = settlement.reports.reduce((sum, { own }) => sum + own.text.length / BYTES_PER_WEIGHT, 1);
      const isFileOver = await environment.write((dbs) => settle(dbs, settlement), weight, "soon");
      if (isFileOver) await contents.removeFile(settlement.lease.mail.id);
    },
    setBackoff: (destination, backoff) =>
      environment.write((dbs) => {
        const { backoff: _, ...row } = readDestination(dbs, destination);
        retime(dbs, destination, backoff.failures === 0 ? row : { ...row, backoff });
      }),
    backoff: (destination) => environment.read((dbs) => readDestination(dbs, destination).backoff),
    content: contents.read,
    nextAt: () =>
      environment.read((dbs) => {
        const [due] = dbs.turns.getKeys({ limit: 1 });
        const [late] = dbs.late.getKeys({ limit: 1 });
        return { ...(due && { due: readTimed(due).at }), ...(late && { late: readTimed(late).at }) };
      }),
    size: () =>
      environment.read((dbs) => {
        const [due] = dbs.turns.getKeys({ limit: 1 });
        const leased = entriesIn(dbs.leases.getStats());
        return { mails: entriesIn(dbs.mails.getStats()), leased, ...(due && { dueAt: readTimed(due).at }) };
      }),
    async ping() {
      const why = space.full();
      if (why !== undefined) throw new Unavailable("disk", `the spool is full: ${why}`);
      await probe();
    },
    helpers: () => environment.read((dbs) => helpersIn(dbs, at())),
    keepTime: () => bringBack(environment, now()),
    // Everybody seems silent when the clock has jumped, until he has said again that he is there.
    recover: async () =>
      hasJumped() ? NOTHING_FOUND : recover({ environment, contents, wereEntered: options.wereEntered }, at()),
    giveBack: (leases) =>
      environment.write((dbs) => {
        for (const { mail, turn } of leases) endLease(dbs, mail.id, turn);
      }, leases.length),
    async close() {
      clearInterval(beat);
      space.close();
      await environment.write((dbs) => void dbs.owners.remove(Buffer.from(owner.name))).catch(() => undefined);
      await environment.close();
    },
  };
}

const NOTHING_FOUND: Recovered = { leases: 0, arrived: 0, forgotten: 0 };
const JUMP_MS = 5_000;

/** @returns whether the clock has jumped less than a minute ago, as far as it was looked at */
function createJumpWatch(now: () => number, steadyMs: () => number = now): () => boolean {
  let offset = now() - steadyMs();
  let jumpedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const before = offset;
    offset = now() - steadyMs();
    if (Math.abs(offset - before) > JUMP_MS) jumpedAt = steadyMs();
    return steadyMs() - jumpedAt < SILENT_MS;
  };
}

/** A write that was done so short a time ago is believed: whoever asks often costs no more flushes. */
const BELIEVED_MS = 1_000;

function createProbe(write: () => Promise<unknown>): () => Promise<void> {
  let last: { readonly at: number; readonly done: Promise<unknown> } | undefined;
  return async () => {
    if (!last || performance.now() - last.at > BELIEVED_MS) last = { at: performance.now(), done: write() };
    await last.done;
  };
}

const entriesIn = (stats: unknown): number => (stats as { entryCount: number }).entryCount;

interface Arrivals {
  readonly environment: Environment<Name>;
  readonly owner: Owner;
  readonly contents: ReturnType<typeof createContents>;
  readonly space: Space;
}

function arrivals({ environment, owner, contents, space }: Arrivals): Pick<Spool, "arrive" | "confirm" | "forget"> {
  return {
    async arrive(mail: NewMail, content: Parcel) {
      const why = space.full();
      if (why !== undefined) throw new Unavailable("disk", `the spool is full: ${why}`);
      const body = await contents.keep(mail.id, content);
      try {
        await environment.write(
          (dbs) => {
            store(dbs, mail, body);
            void dbs.arriving.put(idKey(mail.id), owner.name);
          },
          1 + bytesIn(body ?? []) / BYTES_PER_WEIGHT,
        );
      } catch (error) {
        if (/space left/.test((error as Error).message)) space.wasFull();
        if (!body) await contents.removeFile(mail.id);
        throw error;
      }
    },
    confirm: ({ id }) => environment.write((dbs) => void confirm(dbs, id)),
    async forget(id) {
      const isFileOver = await environment.write((dbs) => {
        const row = readRow(dbs, id);
        void dbs.arriving.remove(idKey(id));
        return row ? remove(dbs, id, row) : false;
      });
      if (isFileOver) await contents.removeFile(id);
    },
  };
}

/** Takes over a spool that was copied or restored. @throws Misuse when a service is running on it */
export async function adoptSpool(dir: string, timeoutMs: number, at: Moment): Promise<void> {
  const environment = openEnvironment(dir, timeoutMs);
  try {
    await environment.write((dbs) => claim(dbs, { dir, service: randomUUID(), at, adopt: true }));
  } finally {
    await environment.close();
  }
}
