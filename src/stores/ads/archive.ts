/**
 * Copies of advertisements on disk: a directory for each day, a file for each mail, "day/mailId.ad". A file is a magic word, 12 bytes of
 * nonce, the mail in AES-256-GCM, 16 bytes of tag; day and id are authenticated with it, so that none can be passed off for another.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { AdArchive } from "../../delivery/ad-archive.ts";
import type { Parcel } from "../../delivery/next-hop.ts";
import type { Clock } from "../../kit/clock.ts";
import { Unavailable } from "../../kit/trouble.ts";

const MAGIC = Buffer.from("consentry-ad-1\n");
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ENDING = ".ad";
const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const ID = /^[\w-]{1,64}$/;

export interface Copy {
  readonly mailId: string;
  /** The day it was sent, UTC. */
  readonly day: string;
  /** On disk. */
  readonly bytes: number;
}

export interface AdCopies extends AdArchive {
  /** From the oldest day on, both days included. */
  list(from?: string, until?: string): AsyncIterable<Copy>;
  /** @returns the mail, or undefined when there is no such copy. @throws Unavailable when it was changed, or is of another key */
  read(mailId: string): Promise<{ readonly day: string; readonly mail: Buffer } | undefined>;
  /** Removes days that are over since more than `keepDays`. @returns what was removed */
  sweep(keepDays: number): Promise<{ readonly day: string; readonly copies: number }[]>;
}

export function openAdCopies({ directory, key, clock }: { directory: string; key: Buffer; clock: Clock }): AdCopies {
  const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const pathOf = (day: string, mailId: string): string => join(directory, day, `${mailId}${ENDING}`);
  /** A copy is of the day it was begun on; a handover may end after midnight. */
  const find = async (mailId: string, days: readonly string[]): Promise<Copy | undefined> => {
    for (const day of days) {
      const found = await stat(pathOf(day, mailId)).catch(ifMissing);
      if (found) return { mailId, day, bytes: found.size };
    }
    return undefined;
  };
  return {
    async write(mailId, parcel) {
      const day = dayOf(clock.now());
      if (!ID.test(mailId)) throw new TypeError("no id of a mail");
      await mkdir(join(directory, day), { recursive: true, mode: 0o700 });
      const path = pathOf(day, mailId);
      await writeDurably(path, sealed(parcel, { key, about: `${day} ${mailId}` }));
    },
    async forget(mailId) {
      const nowMs = clock.now();
      const copy = await find(mailId, [dayOf(nowMs), dayOf(nowMs - DAY_MS)]).catch(() => undefined);
      if (copy) await rm(pathOf(copy.day, mailId), { force: true }).catch(() => undefined);
    },
    async *list(from = "", until = "9999") {
      for (const day of await daysIn(directory)) {
        if (day < from || day > until) continue;
        for (const mailId of await copiesIn(join(directory, day))) {
          const found = await stat(pathOf(day, mailId)).catch(ifMissing);
          if (found) yield { mailId, day, bytes: found.size };
        }
      }
    },
    async read(mailId) {
      const copy = ID.test(mailId) ? await find(mailId, (await daysIn(directory)).reverse()) : undefined;
      if (!copy) return undefined;
      const mail = opened(await readFile(pathOf(copy.day, mailId)), { key, about: `${copy.day} ${mailId}` });
      return { day: copy.day, mail };
    },
    async sweep(keepDays) {
      const removed: { day: string; copies: number }[] = [];
      for (const day of await daysIn(directory)) {
        // The day's last mail was sent just before its end.
        if (Date.parse(day) + (keepDays + 1) * DAY_MS > clock.now()) continue;
        const copies = await copiesIn(join(directory, day));
        for (const mailId of copies) await rm(pathOf(day, mailId), { force: true });
        await rmdir(join(directory, day)).catch(() => undefined);
        removed.push({ day, copies: copies.length });
      }
      return removed;
    },
  };
}

interface Sealing {
  readonly key: Buffer;
  /** Authenticated, not written. */
  readonly about: string;
}

async function* sealed({ front, whole, read }: Parcel, { key, about }: Sealing): AsyncGenerator<Buffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(about));
  yield Buffer.concat([MAGIC, nonce, cipher.update(front)]);
  if (whole) yield cipher.update(whole);
  else for await (const piece of read()) yield cipher.update(piece);
  yield Buffer.concat([cipher.final(), cipher.getAuthTag()]);
}

/** @throws Unavailable */
function opened(file: Buffer, { key, about }: Sealing): Buffer {
  const from = MAGIC.length + NONCE_BYTES;
  const end = file.length - TAG_BYTES;
  try {
    if (end < from || !file.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error("not a copy of ours");
    const nonce = file.subarray(MAGIC.length, from);
    const cipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(about)).setAuthTag(file.subarray(end));
    return Buffer.concat([cipher.update(file.subarray(from, end)), cipher.final()]);
  } catch (error) {
    throw new Unavailable("disk", "this copy was changed since it was written, or is of another key", error);
  }
}

/** Whole or not at all, and on disk. @throws Unavailable */
async function writeDurably(path: string, pieces: AsyncIterable<Buffer>): Promise<void> {
  const draft = `${path}.draft`;
  try {
    const file = await open(draft, "w", 0o600);
    try {
      for await (const piece of pieces) await file.write(piece);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    const directory = await open(join(path, ".."), "r");
    await directory.sync().finally(() => directory.close());
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw new Unavailable("disk", "the copy of an advertisement cannot be written", error);
  }
}

const ifMissing = (error: unknown): undefined => {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
};

const namesIn = async (directory: string): Promise<string[]> => (await readdir(directory).catch(ifMissing)) ?? [];

const daysIn = async (directory: string): Promise<string[]> =>
  (await namesIn(directory)).filter((name) => DAY.test(name)).sort();

const copiesIn = async (directory: string): Promise<string[]> =>
  (await namesIn(directory)).flatMap((name) => (name.endsWith(ENDING) ? [name.slice(0, -ENDING.length)] : [])).sort();
