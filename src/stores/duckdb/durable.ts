/** Files that are there whole or not at all, also after a crash: written under another name, flushed, renamed, the directory flushed. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** How what is not finished is named; nobody reads it, and tidying up removes it. */
export const UNFINISHED = ".unfinished";

export const makeDirectory = (path: string): Promise<unknown> => mkdir(path, { recursive: true, mode: DIRECTORY_MODE });

/** A name in the same directory under which a file can be written first. */
export const draftOf = (path: string): string =>
  join(dirname(path), `.${process.pid.toString(36)}-${randomBytes(4).toString("hex")}${UNFINISHED}`);

async function flush(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}

/** Puts a file that somebody else wrote in its place. */
export async function settle(draft: string, path: string): Promise<void> {
  await chmod(draft, FILE_MODE);
  await flush(draft);
  await rename(draft, path);
  await flush(dirname(path));
}

/** Its directory is made when it is not there. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  await makeDirectory(dirname(path));
  const draft = draftOf(path);
  try {
    const handle = await open(draft, "wx", FILE_MODE);
    await handle.writeFile(content).finally(() => handle.close());
    await settle(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
}

/** undefined: there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export interface FileFacts {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** undefined: there is none. */
export async function factsOf(path: string): Promise<FileFacts | undefined> {
  try {
    const { size } = await stat(path);
    const hash = createHash("sha256");
    for await (const piece of createReadStream(path, { highWaterMark: 1_048_576 })) hash.update(piece as Buffer);
    return { bytes: size, sha256: hash.digest("hex") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
