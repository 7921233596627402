/** Mails from files and Maildirs, made into lessons one after the other. */
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Misuse } from "../kit/trouble.ts";
import { Headers } from "../mail/headers.ts";
import { TEXT_LIMITS } from "../mail/text.ts";
import { featuresOf, wordsOf } from "../signals/features.ts";
import { fingerprintOf } from "../signals/fingerprint.ts";
import { LESSON_LIMITS, lessonOf, type Taught } from "../signals/learned.ts";
import type { NewLesson } from "../signals/lessons.ts";
import { readMail } from "../signals/read.ts";
import { STDIN } from "./globals.ts";

/** What all lessons of one command share. */
export type About = Pick<NewLesson, "batch" | "by" | "reporter"> & { readonly label: Taught; readonly atMs: number };

/** The lesson of one mail. @throws Misuse when it cannot be read or says nothing */
export async function lessonOfFile(file: string, { label, atMs, batch, by, reporter }: About): Promise<NewLesson> {
  const bytes = await readStart(file);
  const mail = readMail(Headers.parse(bytes), bytes);
  const words = wordsOf(mail);
  if (words.subject.trim() === "" && words.body.trim() === "") throw new Misuse("no text in it");
  const lesson = lessonOf(featuresOf(mail), label, atMs);
  const print = fingerprintOf(words);
  const own = { batch, by, ...(reporter !== undefined && { reporter }) };
  // A text too short for a fingerprint is the same only as itself.
  return { ...lesson, ...own, print: print.length > 0 ? print : [`s:${lesson.sketch.slice(0, 32)}`] };
}

/** As much of a mail as the detector reads. */
async function readStart(file: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    const input = file === STDIN ? process.stdin : createReadStream(file, { end: TEXT_LIMITS.mailBytesMax - 1 });
    for await (const piece of input as AsyncIterable<Buffer>) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= TEXT_LIMITS.mailBytesMax) break;
    }
  } catch (error) {
    throw new Misuse(`cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`);
  }
  return Buffer.concat(pieces);
}

/**
 * The mails of a Maildir, `new` and `cur`; of more than can be learned the latest, by the time of the file.
 *
 * @throws Misuse when it is none
 */
export async function maildirFiles(directory: string): Promise<{ files: string[]; left: number }> {
  const lists = await Promise.all(["new", "cur"].map((box) => filesIn(join(directory, box))));
  if (lists.every((list) => list === undefined))
    throw new Misuse(`--maildir ${directory}: expected a Maildir, with cur or new`);
  const all = lists.flatMap((list) => list ?? []);
  const dated = await Promise.all(all.map(async (path) => ({ path, atMs: (await stat(path)).mtimeMs })));
  const files = dated.sort((a, b) => b.atMs - a.atMs).map(({ path }) => path);
  return {
    files: files.slice(0, LESSON_LIMITS.lessonsMax),
    left: Math.max(0, files.length - LESSON_LIMITS.lessonsMax),
  };
}

async function filesIn(directory: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(directory, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Misuse(`--maildir: cannot read ${directory}: ${(error as NodeJS.ErrnoException).code}`);
  }
}
