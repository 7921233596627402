/** Envelope senders of forwarded mail rewritten on the way out, and bounces to them led back (srs.ts): in front of any next hop, and in the queue. */
import { writeReply } from "../mail/replies.ts";
import { isOwn, type Recipient, type Sender, type Session } from "../mail/views.ts";
import type { Handover, NextHop } from "./next-hop.ts";
import type { Carrier } from "./queue/queued.ts";
import type { Srs } from "./srs.ts";

export interface RewritingParts {
  /** In force now; undefined: nothing is rewritten. */
  readonly srs: () => Srs | undefined;
  readonly isLocal: (domain: string) => boolean;
}

export function rewritingHop(inner: NextHop, { srs, isLocal }: RewritingParts): NextHop {
  return {
    get name() {
      return inner.name;
    },
    ...(inner.full && { full: () => inner.full?.() }),
    ping: () => inner.ping(),
    close: (graceMs) => inner.close(graceMs),
    begin(session, sender, mailId) {
      const rewriting = srs();
      if (!rewriting) return inner.begin(session, sender, mailId);
      const ours =
        isForwarded(session, sender, isLocal) && sender.address ? rewriting.rewrite(sender.address) : undefined;
      const handover = inner.begin(session, ours ? { ...sender, address: ours } : sender, mailId);
      return sender.address === null ? ledBack(handover, rewriting) : handover;
    },
  };
}

/** Mail that one of our own hosts passes on for somebody else. */
const isForwarded = (session: Session, { address }: Sender, isLocal: (domain: string) => boolean): boolean =>
  isOwn(session) && session.client === undefined && address !== null && !isLocal(address.domain);

/** A bounce: its recipient may be a sender that we wrote. */
function ledBack(inner: Handover, srs: Srs): Handover {
  /** Whoever leaves a recipient out names the one we were given. */
  const given = new Map<Recipient, Recipient>();
  const backOf = (recipient: Recipient): Recipient => given.get(recipient) ?? recipient;
  return {
    ...(inner.answersEach !== undefined && { answersEach: inner.answersEach }),
    ...(inner.drop && { drop: (recipient, why) => inner.drop?.(backOf(recipient), why) }),
    ...(inner.hold && { hold: (reason, by) => inner.hold?.(reason, by) }),
    async rcpt(recipient) {
      const back = srs.reverse(recipient.address);
      if (back === "bad") return writeReply("no-local-mailbox");
      if (!back) return inner.rcpt(recipient);
      const led = { ...recipient, address: back };
      given.set(recipient, led);
      return inner.rcpt(led);
    },
    data: (parcel, ready) => inner.data(parcel, ready),
    abort: () => inner.abort(),
  };
}

/** Reports of our own about forwarded mail go to who sent it, not round by our own door. */
export function leadingBack(inner: Carrier, { srs }: Pick<RewritingParts, "srs">): Carrier {
  const backOf = (recipient: Recipient): Recipient => {
    const back = srs()?.reverse(recipient.address);
    return back && back !== "bad" ? { ...recipient, address: back } : recipient;
  };
  return {
    destinationOf: (mail, recipient) =>
      inner.destinationOf(mail, mail.sender.address === null ? backOf(recipient) : recipient),
    attempt: (mail, recipients, parcel) =>
      inner.attempt(mail, mail.sender.address === null ? recipients.map(backOf) : recipients, parcel),
    ...(inner.widthOf && { widthOf: (destination) => inner.widthOf?.(destination) ?? Number.POSITIVE_INFINITY }),
    close: (graceMs) => inner.close(graceMs),
  };
}
