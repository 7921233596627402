/** Whether there is room for another mail, known without asking the disk for each. */
import { statfs } from "node:fs/promises";

export interface Space {
  /** Why there is no room; undefined: there is. */
  full(): string | undefined;
  /** A write failed for want of room. */
  wasFull(): void;
  close(): void;
}

const LOOK_MS = 500;
const MB = 1_048_576;

export interface SpaceOptions {
  readonly dir: string;
  /** So much is kept free, bytes. */
  readonly reserveBytes: number;
  readonly mailsMax: number;
  readonly mails: () => Promise<number>;
}

/** Looks every half second. The first look is over when it resolves. */
export async function watchSpace({ dir, reserveBytes, mailsMax, mails }: SpaceOptions): Promise<Space> {
  let why: string | undefined;
  const look = async (): Promise<void> => {
    const { bavail, bsize } = await statfs(dir);
    const freeMb = Math.floor((bavail * bsize) / MB);
    if (bavail * bsize < reserveBytes) why = `${freeMb} MB free, and ${Math.ceil(reserveBytes / MB)} are kept`;
    else if ((await mails()) >= mailsMax) why = `${mailsMax} mails are in the queue`;
    else why = undefined;
  };
  await look();
  const timer = setInterval(() => {
    look().catch((error: unknown) => {
      why = error instanceof Error ? error.message : "the disk does not answer";
    });
  }, LOOK_MS);
  timer.unref();
  return {
    full: () => why,
    wasFull() {
      why = "the disk is full";
    },
    close: () => clearInterval(timer),
  };
}
