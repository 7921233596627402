/** What is sent: real mail where it lies beside the checkout, else mail made here; each to a recipient of its own, by which it is counted. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CORPUS } from "../fuzz/seeds.ts";

export interface SoakMail {
  /** m17@example.com: nobody else gets a mail there. */
  readonly recipient: string;
  /** For the account: a path in the corpus, or "made 17". */
  readonly name: string;
  /** As it travels: CRLF ended lines, dots not stuffed. */
  readonly content: Buffer;
}

export const hasCorpus = existsSync(CORPUS);
/** A few mails of the corpora are larger than is worth sending again and again. */
const BYTES_MAX = 300_000;

/** @returns so many mails, the same for the same random */
export function chooseMails(count: number, random: () => number): SoakMail[] {
  const paths = hasCorpus ? corpusPaths() : [];
  return Array.from({ length: count }, (_, index) => {
    const recipient = `m${index}@example.com`;
    // One in ten is made here: of a size, or with lines, that nobody writes.
    if (paths.length === 0 || random() < 0.1)
      return { recipient, name: `made ${index}`, content: madeMail(index, random) };
    const path = paths[Math.floor(random() * paths.length)] as string;
    return {
      recipient,
      name: path,
      content: onTheWire(readFileSync(join(CORPUS, path), "latin1").slice(0, BYTES_MAX)),
    };
  });
}

const corpusPaths = (): string[] =>
  readdirSync(CORPUS, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".eml"))
    .sort();

function onTheWire(text: string): Buffer {
  const lines = text.replace(/\r\n|\r|\n/g, "\r\n");
  return Buffer.from(lines.endsWith("\r\n") ? lines : `${lines}\r\n`, "latin1");
}

function madeMail(index: number, random: () => number): Buffer {
  const line = "..The quick brown fox, and a dot in front.\r\n";
  const bytes = random() < 0.2 ? 2_000_000 * random() : 20_000 * random();
  const head = `From: writer@stranger.example\r\nDate: ${new Date().toUTCString().replace("GMT", "+0000")}\r\nMessage-ID: <${index}@stranger.example>\r\nSubject: minutes ${index}\r\n\r\n`;
  return Buffer.from(head + line.repeat(Math.ceil(bytes / line.length)), "latin1");
}
