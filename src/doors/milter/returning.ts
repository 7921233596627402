/**
 * Mail that comes back: consentry's own SMTP door has judged it and hands it to an MTA, and that MTA asks its milter – us again.
 * The next hop that we are greets with our name from a host we trust, so such a mail is recognised only when its headers are in:
 * then the topmost trace line carries an id that this site sealed a moment ago. It is not judged twice; its record goes on under
 * the same id. Anything else that came this way is judged in full, at its end instead of step by step.
 */
import { idTimeMs } from "../../kit/ids.ts";
import type { Content } from "../../mail/content.ts";
import { Headers } from "../../mail/headers.ts";
import { parseReceived } from "../../mail/received.ts";
import { isPositive, type Reply } from "../../mail/replies.ts";
import type { Recipient, Sender } from "../../mail/views.ts";
import { isReply, type Reception } from "../intake.ts";
import type { Transaction } from "../transaction.ts";

export interface Site {
  readonly hostname: string;
  isOurId(id: string): boolean;
}

export interface ReturningParts {
  readonly site: Site;
  readonly nowMs: () => number;
  /** @param passedAs the id under which the mail was judged before */
  readonly open: (passedAs?: string) => Reception;
}

/** An hour: longer than we ever wait for a next hop. An id that somebody kept from an older mail opens nothing. */
const PASSAGE_MS_MAX = 3_600_000;
const TAKEN: Reply = { code: 250, enhanced: "2.1.5", lines: ["recipient ok"] };

/** The id under which this mail has just passed through this site. undefined: it has not. */
export function passedAs(header: Buffer, { hostname, isOurId }: Site, nowMs: number): string | undefined {
  const top = Headers.parse(header).first("received");
  const { by, id } = parseReceived(top ?? "");
  if (id === undefined || !by.includes(hostname) || !isOurId(id)) return undefined;
  return Math.abs(nowMs - idTimeMs(id)) < PASSAGE_MS_MAX ? id : undefined;
}

/** A mail that waits with every question until its content is in. */
export function createReturning(parts: ReturningParts, sender: Sender): Transaction {
  const recipients: Recipient[] = [];
  let begun: Transaction | undefined;

  /** Walks the mail through intake up to its content. @returns it, or why it does not get that far */
  const begin = async (id?: string): Promise<Transaction | Reply> => {
    const answer = await parts.open(id).mail(sender);
    if (isReply(answer)) return answer;
    begun = answer;
    for (const recipient of recipients) {
      const reply = await answer.rcpt(recipient);
      if (isPositive(reply)) continue;
      answer.abort();
      return reply;
    }
    return answer;
  };
  return {
    get mailId() {
      return begun?.mailId ?? "";
    },
    async rcpt(recipient) {
      recipients.push(recipient);
      return TAKEN;
    },
    async data(content: Content, known) {
      const mail = await begin(passedAs(content.header, parts.site, parts.nowMs()));
      return isReply(mail) ? mail : mail.data(content, known);
    },
    async refuse(id, detail, known) {
      const mail = await begin();
      return isReply(mail) ? mail : mail.refuse(id, detail, known);
    },
    abort: () => begun?.abort(),
  };
}
