import { REPLIES, type ReplyId } from "./reply-forms.ts";

export { REPLIES, type ReplyForm, type ReplyId } from "./reply-forms.ts";

/** One answer on the wire: a code, an enhanced code (RFC 2034) and one or more lines. */
export interface Reply {
  readonly code: number;
  readonly enhanced: string;
  readonly lines: readonly string[];
}

/** Longest text of one reply line, octets (RFC 5321 4.5.3.1.5 allows 512 with code and CRLF). */
const LINE_MAX = 480;

const printable = (text: string): string => text.replace(/[^\x20-\x7e]+/g, "?").slice(0, LINE_MAX);

/**
 * Writes a form out: what was wrong, what would be accepted, the article and the id to ask about.
 *
 * @param explainAt URL that becomes, with the id behind it, a page about this reply
 * @param detail the particulars the sender may know (a limit, the labels, the recipient), never a score
 */
export function writeReply(
  id: ReplyId,
  about: {
    mailId?: string | undefined;
    explainAt?: string | undefined;
    article?: string | undefined;
    detail?: string | undefined;
  } = {},
): Reply {
  const { code, enhanced, wrong, accepted } = REPLIES[id];
  const lines = [wrong, `accepted: ${accepted}${about.detail ? `: ${about.detail}` : ""}`];
  const tail = [about.article, about.mailId && `${about.explainAt ?? "id "}${about.mailId}`]
    .filter(Boolean)
    .join(" - ");
  if (tail) lines.push(tail);
  return { code, enhanced, lines: lines.map(printable) };
}

/** The whole reply as one line, for ledger and logs. */
export const replyText = (reply: Reply): string => `${reply.code} ${reply.enhanced} ${reply.lines.join(" / ")}`.trim();

/** 4xx: the sender's server keeps the mail and tries again. */
export const isTransient = (reply: Reply): boolean => reply.code >= 400 && reply.code < 500;

/** 2xx. */
export const isPositive = (reply: Reply): boolean => reply.code >= 200 && reply.code < 300;
