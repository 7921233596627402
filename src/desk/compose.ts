import type { Content } from "../mail/content.ts";
import { mailDate } from "../mail/received.ts";
import { writeWords } from "../mail/write-words.ts";
import { ASKED, type Language, REFUSED, type Told } from "./letters.ts";
import type { Notice } from "./outbox.ts";

export interface Letterhead {
  readonly hostname: string;
  /** Who it is from, and where answers go. */
  readonly address: string;
  readonly nowMs: number;
  readonly mailId: string;
  /** The recipient's own link, when there is a web page. */
  readonly link: string | undefined;
  /** Kept in the Subject, so that an answer can be understood. */
  readonly token: string;
}

/** A mail of our own, complete (RFC 5322): plain text in every language the recipient may read, the first one in the Subject. */
export function compose(notice: Notice, head: Letterhead): Buffer {
  const told: Told = { advertiser: notice.advertiser, at: stamp(notice.atMs), topics: notice.topics };
  const letters = notice.languages.map((language) => letterIn(language, notice, told, head.link));
  const subject = notice.kind === "asked" ? `${letters[0]?.subject} [${head.token}]` : (letters[0]?.subject ?? "");
  const lines = [
    `From: <${head.address}>`,
    `To: <${notice.recipient}>`,
    `Date: ${mailDate(head.nowMs)}`,
    `Message-ID: <${head.mailId}@${head.hostname}>`,
    `Subject: ${writeWords(subject)}`,
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "",
    ...inLines(letters.map(({ text }) => text.join("\r\n")).join("\r\n\r\n-- \r\n\r\n")),
    "",
  ];
  return Buffer.from(lines.join("\r\n"));
}

const letterIn = (language: Language, { kind }: Notice, told: Told, link: string | undefined) =>
  kind === "asked" ? ASKED[language]({ ...told, link }) : REFUSED[language](told);

const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const inLines = (text: string): string[] =>
  Buffer.from(text)
    .toString("base64")
    .match(/.{1,76}/g) ?? [];

/** A text as what is handed over. */
export function inMemory(whole: Buffer): Content {
  return {
    bytes: whole.length,
    header: whole.subarray(0, whole.indexOf("\r\n\r\n") + 4),
    whole,
    async *read() {
      yield whole;
    },
    dispose: async () => undefined,
  };
}
