/** Mails as they lie on disk, one after the other: a tree of Maildirs or .eml files, or one mbox. Nothing is held but one mail. */
import { createReadStream } from "node:fs";
import { opendir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Misuse } from "../kit/trouble.ts";

export interface StoredMail {
  /** Names it where it has no Message-ID: a file, or its place in the mbox. */
  readonly name: string;
  pieces(): AsyncIterable<Buffer>;
}

/** Files in cur and new of every Maildir below, and files that end in .eml. @throws Misuse when the directory cannot be read */
export async function* maildirMails(root: string): AsyncGenerator<StoredMail> {
  for await (const path of filesBelow(root)) {
    const folder = basename(dirname(path));
    if (folder !== "cur" && folder !== "new" && !path.endsWith(".eml")) continue;
    yield { name: basename(path), pieces: () => createReadStream(path) };
  }
}

async function* filesBelow(directory: string): AsyncGenerator<string> {
  const entries = await opendir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new Misuse(`cannot read ${directory}: ${error.code}`);
  });
  for await (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

const LF = 10;
const SEPARATOR = Buffer.from("From ");
const QUOTED = /^>+From /;

/**
 * The mails of an mbox: each begins with a line "From " after an empty line or at the start; ">From " inside is unquoted.
 *
 * @param bytesMax a larger mail is cut there
 * @throws Misuse when the file cannot be read
 */
export async function* mboxMails(path: string, bytesMax: number): AsyncGenerator<StoredMail> {
  let lines: Buffer[] | undefined;
  let bytes = 0;
  let count = 0;
  let afterEmpty = true;
  const mailOf = (kept: readonly Buffer[]): StoredMail => {
    count += 1;
    return { name: `mail ${count}`, pieces: () => once(Buffer.concat(kept)) };
  };
  for await (const line of linesOf(path)) {
    if (afterEmpty && line.subarray(0, SEPARATOR.length).equals(SEPARATOR)) {
      if (lines) yield mailOf(lines);
      lines = [];
      bytes = 0;
    } else if (lines && bytes + line.length <= bytesMax) {
      const text = QUOTED.test(line.toString("latin1", 0, 80)) ? line.subarray(1) : line;
      lines.push(text);
      bytes += text.length;
    }
    afterEmpty = line.length <= 2 && (line[0] === LF || line[1] === LF);
  }
  if (lines) yield mailOf(lines);
  if (!lines) throw new Misuse(`${path} is no mbox: it does not begin with "From "`);
}

async function* once(whole: Buffer): AsyncGenerator<Buffer> {
  yield whole;
}

/** Lines with their ends; one that is longer than a piece comes in parts. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of createReadStream(path)) {
      const all = rest.length > 0 ? Buffer.concat([rest, piece as Buffer]) : (piece as Buffer);
      let from = 0;
      for (let end = all.indexOf(LF); end >= 0; end = all.indexOf(LF, from)) {
        yield all.subarray(from, end + 1);
        from = end + 1;
      }
      rest = all.subarray(from);
      if (rest.length > LINE_MAX) {
        yield rest;
        rest = Buffer.alloc(0);
      }
    }
  } catch (error) {
    throw new Misuse(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
  if (rest.length > 0) yield rest;
}

const LINE_MAX = 1_048_576;
