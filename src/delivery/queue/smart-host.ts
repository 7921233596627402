/**
 * A carrier over a next hop: everything goes the same way, to a smart host, an LMTP server or a Maildir. What the next hop would
 * have said to a waiting client decides what becomes of the mail.
 */
import { Unavailable } from "../../kit/trouble.ts";
import { isPositive, isTransient, type Reply, writeReply } from "../../mail/replies.ts";
import type { Recipient, Session } from "../../mail/views.ts";
import type { NextHop, Parcel } from "../next-hop.ts";
import type { Attempt, Carrier, QueuedMail } from "./queued.ts";

export function smartHostCarrier(nextHop: () => NextHop, now: () => number): Carrier {
  return {
    destinationOf: () => nextHop().name,
    attempt: (mail, recipients, parcel) => attempt(nextHop(), { mail, recipients, parcel, now }),
    close: (graceMs) => nextHop().close(graceMs),
  };
}

interface Task {
  readonly mail: QueuedMail;
  readonly recipients: readonly Recipient[];
  readonly parcel: Parcel;
  readonly now: () => number;
}

const READY = Promise.resolve();

async function attempt(hop: NextHop, { mail, recipients, parcel, now }: Task): Promise<Attempt[]> {
  const { clientId: _, ...session } = mail.session;
  const handover = hop.begin(session as Session, mail.sender, mail.id);
  const attempts: (Attempt | undefined)[] = [];
  const accepted: number[] = [];
  const say = (reply: Reply, more: Pick<Attempt, "scope" | "serverIp">): Attempt => ({
    kind: kindOf(reply),
    reply,
    at: now(),
    server: hop.name,
    ...more,
  });
  try {
    for (const [place, recipient] of recipients.entries()) {
      // Who answers for each at the end gets them one mail at a time: the others follow when this one is settled.
      const reply = await handover.rcpt(recipient);
      if (isPositive(reply)) accepted.push(place);
      else attempts[place] = say(reply, { scope: "recipient" });
    }
    if (accepted.length === 0) {
      handover.abort();
      return complete(attempts, recipients, () => say(writeReply("local-trouble"), { scope: "mail" }));
    }
    const { replies, nextHopIp } = await handover.data(parcel, READY);
    for (const [index, place] of accepted.entries()) {
      const reply = replies[index] ?? replies[0] ?? writeReply("local-trouble");
      attempts[place] = say(reply, { scope: "mail", ...(nextHopIp !== undefined && { serverIp: nextHopIp }) });
    }
    return complete(attempts, recipients, () => say(writeReply("local-trouble"), { scope: "mail" }));
  } catch (error) {
    handover.abort();
    const away = awayOf(error);
    return complete(attempts, recipients, () => say(away, { scope: "destination" }));
  }
}

const complete = (
  attempts: readonly (Attempt | undefined)[],
  recipients: readonly Recipient[],
  missing: () => Attempt,
): Attempt[] => recipients.map((_, place) => attempts[place] ?? missing());

const kindOf = (reply: Reply): Attempt["kind"] =>
  isPositive(reply) ? "delivered" : isTransient(reply) ? "later" : "failed";

/** @throws what is no trouble of the world */
function awayOf(error: unknown): Reply {
  if (!(error instanceof Unavailable)) throw error;
  return writeReply("next-hop-away", { detail: error.message });
}
