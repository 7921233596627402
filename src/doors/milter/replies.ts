import type { Reply } from "../../mail/replies.ts";
import { writeReply } from "../../mail/replies.ts";
import { SMFIR } from "./constants.ts";
import { encodeFrame, printable } from "./frames.ts";
import type { Answer } from "./handler.ts";

/** Answers as frames. Those without a text are made once. */

/** libmilter's smfi_setmlreply takes no more. */
const LINES_MAX = 32;
/** With code, enhanced code and CRLF a line stays within the 512 octets of RFC 5321 4.5.3.1.5. */
const TEXT_MAX = 490;

/** What is said when something broke here: 451 4.3.0. */
export const TROUBLE: Reply = writeReply("local-trouble");
const SHUTTING_DOWN: Reply = writeReply("shutting-down");

const enhancedCode = /^([45])\.\d{1,3}\.\d{1,3}$/;

/**
 * The text of SMFIR_REPLYCODE: each line with code and enhanced code, CRLF between, `%` doubled (Sendmail prints it with
 * a format), printable ASCII only, over-long lines and more than 32 of them cut.
 *
 * @throws RangeError unless code and enhanced code are both 4xx or both 5xx; MTAs drop the connection over such
 */
export function replyLines(reply: Reply): string {
  const { code, enhanced } = reply;
  const kind = enhancedCode.exec(enhanced)?.[1];
  if (!Number.isInteger(code) || code < 400 || code > 599 || kind !== String(code)[0]) {
    throw new RangeError(`no reply a milter can give: ${code} ${enhanced}`);
  }
  const lines = reply.lines.length > 0 ? reply.lines.slice(0, LINES_MAX) : [""];
  const last = lines.length - 1;
  return lines.map((line, i) => `${code}${i === last ? " " : "-"}${enhanced} ${plain(line)}`).join("\r\n");
}

const plain = (text: string): string => printable(text).slice(0, TEXT_MAX).replaceAll("%", "%%");

const WORDS = {
  continue: encodeFrame(SMFIR.CONTINUE),
  accept: encodeFrame(SMFIR.ACCEPT),
  reject: encodeFrame(SMFIR.REJECT),
  tempfail: encodeFrame(SMFIR.TEMPFAIL),
  discard: encodeFrame(SMFIR.DISCARD),
  skip: encodeFrame(SMFIR.SKIP),
  // SMFIR_SHUTDOWN is known to Postfix alone; a 421 ends the session with both.
  shutdown: replyFrame(SHUTTING_DOWN),
  "connection-fail": encodeFrame(SMFIR.CONN_FAIL),
} as const satisfies Record<Exclude<Answer, Reply>, Buffer>;

/** @throws RangeError for a reply that is none, see `replyLines` */
function replyFrame(reply: Reply): Buffer {
  return encodeFrame(SMFIR.REPLYCODE, `${replyLines(reply)}\0`);
}

/** @throws RangeError for what is no answer */
export function answerFrame(answer: Answer): Buffer {
  if (typeof answer !== "string") return replyFrame(answer);
  if (!Object.hasOwn(WORDS, answer)) throw new RangeError("no answer a milter can give");
  return WORDS[answer];
}

/** The filter is still at work; only during the end of a mail. */
export const PROGRESS = encodeFrame(SMFIR.PROGRESS);
