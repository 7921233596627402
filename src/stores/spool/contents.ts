/**
 * Where contents lie: in the database, or, when they are large, each in a file of its own beside it. A file is on disk before the
 * row that names it; one that no row names is what a crash left, and is swept at the next start.
 */
import { mkdirSync } from "node:fs";
import { open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Parcel } from "../../delivery/next-hop.ts";
import type { QueuedMail } from "../../delivery/queue/queued.ts";
import { buffersMade } from "../../kit/memory.ts";
import { Unavailable } from "../../kit/trouble.ts";
import type { Environment } from "../lmdb/environment.ts";
import { bytesOf } from "../lmdb/open.ts";
import { idKey, type Name, readRow } from "./rows.ts";

const PIECE_BYTES = 65_536;
const NONE: Parcel["changes"] = { fields: [], additions: [] };
const NOTHING = Buffer.alloc(0);

export interface Contents {
  /** What goes into the database, in pieces (`bodies.ts`); undefined: it lies in a file, which is on disk. @throws Unavailable */
  keep(id: string, parcel: Parcel): Promise<readonly Buffer[] | undefined>;
  read(mail: QueuedMail): Promise<Parcel>;
  removeFile(id: string): Promise<void>;
  /** Removes files that no mail names. @returns how many */
  sweep(): Promise<number>;
}

/** @param inlineBytesMax a larger content becomes a file */
export function createContents(dir: string, environment: Environment<Name>, inlineBytesMax: number): Contents {
  const files = join(dir, "contents");
  mkdirSync(files, { recursive: true, mode: 0o700 });
  const pathOf = (id: string): string => join(files, id);
  const removeFile = (id: string): Promise<void> => unlink(pathOf(id)).catch(() => undefined);
  return {
    removeFile,
    async keep(id, parcel) {
      if (parcel.bytes <= inlineBytesMax) return piecesOf(parcel);
      try {
        await writeFile(files, pathOf(id), parcel);
        return undefined;
      } catch (error) {
        await removeFile(id);
        throw error instanceof Unavailable ? error : trouble("a large mail cannot be kept", error);
      }
    },
    async read({ id, bytes }) {
      const whole = await environment.read((dbs) => bytesOf(dbs.bodies).get(idKey(id)));
      if (whole) {
        buffersMade(whole.length);
        return { front: NOTHING, bytes: whole.length, changes: NONE, whole, read: () => once(whole) };
      }
      const isFile = await environment.read((dbs) => readRow(dbs, id)?.isFile);
      if (!isFile) throw trouble(`the content of ${id} is not there`);
      return { front: NOTHING, bytes, changes: NONE, read: () => readFile(pathOf(id), id) };
    },
    async sweep() {
      let swept = 0;
      for (const id of await readdir(files)) {
        const isNamed = await environment.read(({ mails }) => mails.doesExist(idKey(id)));
        if (isNamed) continue;
        await removeFile(id);
        swept += 1;
      }
      return swept;
    },
  };
}

const trouble = (why: string, cause?: unknown): Unavailable => new Unavailable("disk", `the spool: ${why}`, cause);

async function* once(whole: Buffer): AsyncIterable<Buffer> {
  yield whole;
}

async function piecesOf({ front, whole, read }: Parcel): Promise<readonly Buffer[]> {
  if (whole) return [front, whole];
  const pieces = [front];
  for await (const piece of read()) pieces.push(piece);
  return pieces;
}

/** On disk when it resolves, name and all. */
async function writeFile(dir: string, path: string, { front, read }: Parcel): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.appendFile(front);
    for await (const piece of read()) await file.appendFile(piece);
    await file.datasync();
  } finally {
    await file.close();
  }
  const directory = await open(dir, "r");
  await directory.sync().finally(() => directory.close());
}

async function* readFile(path: string, id: string): AsyncIterable<Buffer> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw trouble(`the content of ${id} is not there`, error);
  });
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
