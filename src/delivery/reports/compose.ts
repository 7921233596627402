/**
 * What a mail's sender is told by a mail: a text for people, a part for programs (RFC 3464) and what came (RFC 6522). Written
 * so that any server can pass it on: seven bits and short lines, but where the sender asked for all of an 8-bit mail or has
 * an address that is not ASCII (RFC 6533).
 */
import { randomBytes } from "node:crypto";
import { Headers } from "../../mail/headers.ts";
import type { Language } from "../../mail/language.ts";
import { mailDate } from "../../mail/received.ts";
import { writeWords } from "../../mail/write-words.ts";
import { ownWordOf } from "../queue/own-words.ts";
import type { QueuedRecipient, Report } from "../queue/queued.ts";
import { encodeText, hasFineLines, isAscii, quotedPrintable } from "./encode.ts";
import { deliveryStatus } from "./status.ts";
import { PHRASES, type Told } from "./texts.ts";

export interface ReportOptions {
  /** Our name: Reporting-MTA, Message-ID. */
  readonly hostname: string;
  /** Who it is from. */
  readonly from: string;
  /** The first is that of the Subject. */
  readonly languages: readonly [Language, ...Language[]];
  readonly nowMs: number;
  /** Left part of our Message-ID; unique. */
  readonly id: string;
}

export interface Composed {
  readonly text: Buffer;
  readonly eightBit: boolean;
  readonly smtpUtf8: boolean;
}

/** Most recipients in the text for people; the part for programs has them all. */
const NAMED_MAX = 25;

/** @param report of a mail whose sender is not null */
export function composeReport(report: Report, options: ReportOptions): Composed {
  const { address } = report.mail.sender;
  if (address === null) throw new Error("a report for nobody");
  const smtpUtf8 = !isAscii(address.text);
  const told = toldOf(report, options.hostname);
  const letters = options.languages.map((language) => letterIn(language, report, told));
  const original = originalPart(report, smtpUtf8);
  const boundary = boundaryFor(original);
  const status = deliveryStatus(report, options.hostname, smtpUtf8);
  const parts = [
    textPart(letters.map(({ text }) => text).join("\r\n\r\n-- \r\n\r\n")),
    Buffer.concat([
      Buffer.from(
        smtpUtf8 ? "Content-Type: message/global-delivery-status\r\n" : "Content-Type: message/delivery-status\r\n",
      ),
      Buffer.from(`${isAscii(status) ? "" : "Content-Transfer-Encoding: 8bit\r\n"}\r\n${status}`),
    ]),
    original,
  ];
  const head = [
    `From: Mail Delivery System <${options.from}>`,
    `To: <${address.text}>`,
    `Date: ${mailDate(options.nowMs)}`,
    `Message-ID: <${options.id}@${options.hostname}>`,
    ...threadOf(report.original),
    `Subject: ${writeWords(letters[0]?.subject ?? "")}`,
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    "Content-Type: multipart/report; report-type=delivery-status;",
    `\tboundary="${boundary}"`,
  ];
  const text = multipart(head, boundary, parts);
  return { text, eightBit: text.some((byte) => byte > 127), smtpUtf8 };
}

function multipart(head: readonly string[], boundary: string, parts: readonly Buffer[]): Buffer {
  const pieces = parts.flatMap((part) => [Buffer.from(`\r\n--${boundary}\r\n`), part]);
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n`), ...pieces, Buffer.from(`\r\n--${boundary}--\r\n`)]);
}

function boundaryFor(original: Buffer): string {
  for (;;) {
    const boundary = `report_${randomBytes(12).toString("hex")}`;
    if (!original.includes(boundary)) return boundary;
  }
}

const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const toldOf = ({ mail }: Report, hostname: string): Told => ({
  arrived: stamp(mail.arrivedAt),
  until: stamp(mail.expiresAt),
  mailId: mail.id,
  hostname,
});

function letterIn(language: Language, { kind, recipients }: Report, told: Told): { subject: string; text: string } {
  const { letters, ask, more } = PHRASES[language];
  const { subject, opening, closing } = letters[kind](told);
  const named = recipients
    .slice(0, NAMED_MAX)
    .flatMap((each) => ["", `  <${each.recipient.address.text}>`, ...why(language, each, kind)]);
  const rest = recipients.length > NAMED_MAX ? ["", more(recipients.length - NAMED_MAX)] : [];
  return { subject, text: [opening, ...named, ...rest, "", closing, ask(told), ""].join("\r\n") };
}

function why(language: Language, { last }: QueuedRecipient, kind: Report["kind"]): string[] {
  if (!last || kind === "delivered" || kind === "relayed") return [];
  const { own, said } = PHRASES[language];
  const word = ownWordOf(last.reply);
  if (word) return [`    ${own[word] ?? last.reply.lines[0]}`];
  const { code, enhanced, lines } = last.reply;
  const words = lines.map((line, index) => `      ${index === 0 ? `${code} ${enhanced} ` : ""}${line}`);
  return last.server === undefined ? words : [`    ${said(last.server)}`, ...words];
}

function textPart(text: string): Buffer {
  const { encoding, body } = encodeText(text);
  return Buffer.from(
    ["Content-Type: text/plain; charset=utf-8", `Content-Transfer-Encoding: ${encoding}`, "", body].join("\r\n"),
  );
}

/** The mail it is about, so that its reader can see which one. */
function originalPart({ original, isWhole, mail }: Report, smtpUtf8: boolean): Buffer {
  if (isWhole && hasFineLines(original) && (smtpUtf8 || !mail.sender.smtpUtf8)) {
    const type = smtpUtf8 && mail.sender.smtpUtf8 ? "message/global" : "message/rfc822";
    const encoding = original.some((byte) => byte > 127) ? "Content-Transfer-Encoding: 8bit\r\n" : "";
    return Buffer.concat([Buffer.from(`Content-Type: ${type}\r\n${encoding}\r\n`), original]);
  }
  const end = original.indexOf("\r\n\r\n");
  const header = end < 0 ? original : original.subarray(0, end + 2);
  const type = mail.sender.smtpUtf8 ? "message/global-headers" : "text/rfc822-headers";
  if (hasFineLines(header) && !header.some((byte) => byte > 127)) {
    return Buffer.concat([Buffer.from(`Content-Type: ${type}\r\n\r\n`), header]);
  }
  return Buffer.from(
    `Content-Type: ${type}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${quotedPrintable(header)}`,
  );
}

/** Lets the sender's program put the report beside the mail (RFC 3834 3.1.5). */
function threadOf(original: Buffer): string[] {
  const end = original.indexOf("\r\n\r\n");
  const id =
    Headers.parse(end < 0 ? original : original.subarray(0, end + 4))
      .first("message-id")
      ?.trim() ?? "";
  return /^<[\x21-\x3b=\x3f-\x7e]{1,200}>$/.test(id) ? [`In-Reply-To: ${id}`, `References: ${id}`] : [];
}
