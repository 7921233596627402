import { withDeadline } from "../../kit/deadline.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { isPositive, isTransient, type Reply } from "../../mail/replies.ts";
import type { Recipient, Session } from "../../mail/views.ts";
import type { NextHop } from "../next-hop.ts";
import { OWN_WORDS } from "../queue/own-words.ts";
import type { Attempt } from "../queue/queued.ts";
import type { Trip } from "./course.ts";

/** One attempt at something that is no server: a Maildir. */
export async function intoHop(hop: NextHop, trip: Trip, { now, timeoutMs }: { now(): number; timeoutMs: number }) {
  const { mail, recipients, parcel } = trip;
  const attempts = new Map<Recipient, Attempt>();
  const said = (reply: Reply, scope: Attempt["scope"]): Attempt => {
    const kind = isPositive(reply) ? "delivered" : isTransient(reply) ? "later" : "failed";
    return { kind, reply, scope, at: now(), ...(kind === "delivered" && { isFinal: true as const }) };
  };
  try {
    const handover = hop.begin(mail.session as Session, mail.sender, mail.id);
    const taken: Recipient[] = [];
    for (const recipient of recipients) {
      const reply = await withDeadline(handover.rcpt(recipient), timeoutMs, "next-hop", hop.name);
      if (isPositive(reply)) taken.push(recipient);
      else attempts.set(recipient, said(reply, "recipient"));
    }
    if (taken.length === 0) handover.abort();
    else {
      const { replies } = await withDeadline(handover.data(parcel, Promise.resolve()), timeoutMs, "next-hop", hop.name);
      for (const [i, recipient] of taken.entries()) {
        attempts.set(recipient, said((replies[i] ?? replies[0]) as Reply, "mail"));
      }
    }
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
  }
  return recipients.map((each) => attempts.get(each) ?? said(OWN_WORDS["no-mailbox-room"], "destination"));
}
