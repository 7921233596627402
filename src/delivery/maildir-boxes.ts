import { randomBytes } from "node:crypto";
import { access, constants, type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../kit/clock.ts";
import { mailboxName } from "./maildir-names.ts";

/** Mailboxes known to have their directories; all forgotten together when there are more. */
const KNOWN_MAX = 10_000;

/** A mail on disk that no reader sees yet. */
export interface Draft {
  /** Makes it visible, durably. */
  publish(): Promise<void>;
  /** Removes it, unless it was published. */
  discard(): Promise<void>;
}

/** Maildirs under one directory. */
export interface Boxes {
  /** Writes and syncs a mail for one recipient. Leaves nothing behind when it fails. */
  draft(key: string, pieces: AsyncIterable<Buffer>): Promise<Draft>;
  /** Can mails be written at all? */
  check(): Promise<void>;
}

export function createBoxes(root: string, hostname: string): Boxes {
  const known = new Set<string>();
  const nextName = fileNames(hostname);
  const prepare = async (box: string): Promise<void> => {
    if (known.has(box)) return;
    let created = false;
    for (const part of ["tmp", "cur", "new"]) {
      if (await mkdir(join(box, part), { recursive: true, mode: 0o700 })) created = true;
    }
    if (created) {
      await syncDirectory(box);
      await syncDirectory(root);
    }
    if (known.size >= KNOWN_MAX) known.clear();
    known.add(box);
  };
  return {
    async draft(key, pieces) {
      const box = join(root, mailboxName(key));
      const name = nextName();
      const path = join(box, "tmp", name);
      await prepare(box);
      const file = await open(path, "wx", 0o600).catch(async () => {
        // Somebody removed the mailbox since we made it.
        known.delete(box);
        await prepare(box);
        return open(path, "wx", 0o600);
      });
      await write(file, path, pieces);
      return draftOf(box, name);
    },
    async check() {
      await mkdir(root, { recursive: true, mode: 0o700 });
      await access(root, constants.W_OK | constants.X_OK);
    },
  };
}

function draftOf(box: string, name: string): Draft {
  const from = join(box, "tmp", name);
  let isPublished = false;
  return {
    async publish() {
      await rename(from, join(box, "new", name));
      isPublished = true;
      await syncDirectory(join(box, "new"));
    },
    async discard() {
      if (!isPublished) await rm(from, { force: true });
    },
  };
}

async function write(file: FileHandle, path: string, pieces: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Unique among processes and restarts of one host, and free of what a Maildir name may not hold ("/" and ":"). */
function fileNames(hostname: string): () => string {
  const run = `P${process.pid}R${randomBytes(4).toString("hex")}`;
  const host = hostname.replace(/[^\w.-]/g, "_").slice(0, 100);
  let count = 0;
  return () => {
    count += 1;
    return `${Math.floor(systemClock.now() / 1000)}.${run}Q${count}.${host}`;
  };
}
