import { randomBytes } from "node:crypto";
import { constants, write } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { fileName } from "./names.ts";

/** The hour files this process writes in. */
export interface HourFiles {
  /** On disk when it resolves. */
  write(hour: string, text: string): Promise<void>;
  /** Ends the file of an hour, when it is open. */
  release(hour: string): Promise<void>;
  close(): Promise<void>;
}

/** This hour's, and the last one's while it fades out. */
const OPEN_MAX = 2;
/** O_DSYNC: a write that returned is on disk, in one call instead of two. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_DSYNC;
const FILE_MODE = 0o600;

interface HourFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Something is in it. */
  used: boolean;
  /** When it was last written in, on the clock that never jumps. */
  writtenAt: number;
}

/** A file that was left alone for so long may have left for the archive, when the clock has since gone back into its hour. */
const QUIET_MS = 5_000;

export function createHourFiles(dir: string): HourFiles {
  const files = new Map<string, HourFile>();

  const release = async (hour: string): Promise<void> => {
    const file = files.get(hour);
    files.delete(hour);
    await file?.handle.close();
  };
  const fileOf = async (hour: string): Promise<HourFile> => {
    const known = files.get(hour);
    if (known && (await isThere(known))) return known;
    if (known) await release(hour);
    const file = await openDurably(dir, hour);
    files.set(hour, file);
    const [oldest] = files.keys();
    if (files.size > OPEN_MAX && oldest !== undefined) await release(oldest);
    return file;
  };
  /**
   * A file whose end is in doubt takes no more lines: the next go into a new one. An empty one is removed, so that a full disk
   * does not fill with names.
   */
  const abandon = async (hour: string, file: HourFile | undefined): Promise<void> => {
    await release(hour);
    if (file && !file.used) await unlink(file.path);
  };
  return {
    release,
    async write(hour, text) {
      let file: HourFile | undefined;
      try {
        const bytes = Buffer.from(text);
        file = await fileOf(hour);
        const bytesWritten = await writeOnce(file.handle.fd, bytes);
        file.used ||= bytesWritten > 0;
        file.writtenAt = performance.now();
        if (bytesWritten < bytes.length) throw new Error("the disk took only a part");
      } catch (error) {
        await abandon(hour, file).catch(() => undefined);
        throw error;
      }
    },
    async close() {
      await Promise.allSettled([...files.keys()].map(release));
    },
  };
}

const isThere = async ({ handle, writtenAt }: HourFile): Promise<boolean> =>
  performance.now() - writtenAt < QUIET_MS || (await handle.stat()).nlink > 0;

/** The plain call: FileHandle.write does the same with half a dozen promises more, for every mail. */
const writeOnce = (fd: number, bytes: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, null, (error, written) => (error ? reject(error) : resolve(written)));
  });

/** A file of this process's own for an hour; its name is on disk, too, before it is used. */
async function openDurably(dir: string, hour: string): Promise<HourFile> {
  const run = `${process.pid.toString(36)}-${randomBytes(5).toString("hex")}`;
  const path = join(dir, fileName(hour, run));
  const handle = await open(path, FLAGS, FILE_MODE);
  const directory = await open(dir, constants.O_RDONLY);
  await directory.sync().finally(() => directory.close());
  return { path, handle, used: false, writtenAt: performance.now() };
}
