/** message/delivery-status: the part that programs read (RFC 3464; RFC 6533 where addresses are not ASCII). */
import { mailDate } from "../../mail/received.ts";
import type { Recipient } from "../../mail/views.ts";
import { isOwnWord } from "../queue/own-words.ts";
import type { QueuedRecipient, Report } from "../queue/queued.ts";
import { fold, isAscii } from "./encode.ts";

/** The fields about the mail, an empty line, and the fields of each recipient. */
export function deliveryStatus({ mail, kind, recipients }: Report, hostname: string, smtpUtf8: boolean): string {
  const { envid } = mail.sender;
  const head = [
    `Reporting-MTA: dns; ${hostname}`,
    ...(envid !== undefined && isPrintable(envid) ? [`Original-Envelope-Id: ${envid}`] : []),
    `Arrival-Date: ${mailDate(mail.arrivedAt)}`,
  ];
  const groups = recipients.map((recipient) => aboutRecipient(recipient, { kind, until: mail.expiresAt, smtpUtf8 }));
  return [head, ...groups].map((fields) => fields.map((field) => `${fold(field)}\r\n`).join("")).join("\r\n");
}

const ACTIONS: Readonly<Record<Report["kind"], string>> = {
  failed: "failed",
  expired: "failed",
  delayed: "delayed",
  delivered: "delivered",
  relayed: "relayed",
};

function aboutRecipient(
  { recipient, last }: QueuedRecipient,
  { kind, until, smtpUtf8 }: { kind: Report["kind"]; until: number; smtpUtf8: boolean },
): string[] {
  const fields: string[] = [];
  if (recipient.orcpt !== undefined) {
    const original = typed(recipient.orcpt, smtpUtf8);
    if (original) fields.push(`Original-Recipient: ${original}`);
  }
  fields.push(`Final-Recipient: ${finalRecipient(recipient, smtpUtf8)}`, `Action: ${ACTIONS[kind]}`);
  fields.push(`Status: ${statusOf(kind, last)}`);
  if (last?.server !== undefined && isPrintable(last.server)) fields.push(`Remote-MTA: dns; ${last.server}`);
  if (last) fields.push(`Diagnostic-Code: ${diagnosis(last)}`, `Last-Attempt-Date: ${mailDate(last.at)}`);
  if (kind === "delayed") fields.push(`Will-Retry-Until: ${mailDate(until)}`);
  return fields;
}

const finalRecipient = ({ address }: Recipient, smtpUtf8: boolean): string =>
  isAscii(address.text) ? `rfc822; ${address.text}` : `utf-8; ${smtpUtf8 ? address.text : escaped(address.text)}`;

/** "type;address" as the sender gave it. */
function typed(orcpt: string, smtpUtf8: boolean): string | undefined {
  const [, type = "", address = ""] = /^([A-Za-z0-9-]+);(.+)$/s.exec(orcpt) ?? [];
  if (type === "" || /[\x00-\x1f\x7f]/.test(address)) return undefined;
  return `${type}; ${isAscii(address) || smtpUtf8 ? address : escaped(address)}`;
}

/** RFC 6533 section 3, utf-8-addr-xtext: for a part of seven bits. */
const escaped = (text: string): string =>
  text.replace(/[^\x21-\x7e]|[\\+=]/gu, (char) => `\\x{${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`);

/** RFC 3463 X.4.7: the time is over, whatever was the matter last; the class stays 4, as nobody said no for good. */
function statusOf(kind: Report["kind"], last: QueuedRecipient["last"]): string {
  if (kind === "expired") return "4.4.7";
  const given = last?.reply.enhanced;
  if (kind === "delivered" || kind === "relayed") return given?.startsWith("2.") ? given : "2.0.0";
  if (kind === "delayed") return given?.startsWith("4.") ? given : "4.0.0";
  return given ?? "5.0.0";
}

/** A server's words are SMTP; ours are our own. */
function diagnosis({ reply }: NonNullable<QueuedRecipient["last"]>): string {
  const text = reply.lines.join(" ");
  if (isOwnWord(reply)) return `x-consentry; ${text}`;
  return `smtp; ${reply.code} ${reply.enhanced} ${text}`.trimEnd();
}

const isPrintable = (text: string): boolean => /^[\x20-\x7e]+$/.test(text);
