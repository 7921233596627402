/**
 * Where a law asks advertising services to keep what they sent (Circular 12/2008 III.2.2), the mail is written down, encrypted, before it
 * goes on; when it does not go on, the copy goes too. A next hop in front of the real one: every door and the queue pass it.
 */
import { Unavailable } from "../kit/trouble.ts";
import type { PackChoice } from "../law/choice.ts";
import { isPositive } from "../mail/replies.ts";
import type { Recipient, Session } from "../mail/views.ts";
import type { Handover, NextHop, Parcel } from "./next-hop.ts";

/** What keeps copies; src/stores/ads is the one that is. */
export interface AdArchive {
  /** On disk when it resolves. @throws Unavailable("disk") */
  write(mailId: string, parcel: Parcel): Promise<void>;
  /** Forgets one that did not go on. Never throws. */
  forget(mailId: string): Promise<void>;
}

/** @param archive where copies go now; undefined: the operator keeps none */
export function archivingHop(
  inner: NextHop,
  { archive, choice }: { archive: () => AdArchive | undefined; choice: () => PackChoice },
): NextHop {
  return {
    get name() {
      return inner.name;
    },
    ...(inner.full && { full: () => inner.full?.() }),
    ping: () => inner.ping(),
    close: (graceMs) => inner.close(graceMs),
    begin(session, sender, mailId) {
      const handover = inner.begin(session, sender, mailId);
      // All mail of an advertising service counts as advertising.
      if (session.client?.kind !== "ad-service") return handover;
      const keeper = archive();
      return keeper ? archived(handover, { mailId, session, keeper, choice: choice() }) : handover;
    },
  };
}

interface Archiving {
  readonly mailId: string;
  readonly session: Session;
  readonly keeper: AdArchive;
  readonly choice: PackChoice;
}

function archived(inner: Handover, { mailId, session, keeper, choice }: Archiving): Handover {
  let isAsked = false;
  return {
    ...(inner.answersEach !== undefined && { answersEach: inner.answersEach }),
    ...(inner.drop && { drop: (recipient, why) => inner.drop?.(recipient, why) }),
    ...(inner.hold && { hold: (reason, by) => inner.hold?.(reason, by) }),
    rcpt(recipient) {
      isAsked ||= asksForCopy(choice, recipient, session);
      return inner.rcpt(recipient);
    },
    async data(parcel, ready) {
      if (!isAsked) return inner.data(parcel, ready);
      try {
        await keeper.write(mailId, parcel);
      } catch (error) {
        inner.abort();
        // Nobody else waits for it any more.
        ready.catch(() => undefined);
        throw error instanceof Unavailable ? error : new Unavailable("disk", "the copy cannot be kept", error);
      }
      try {
        const outcome = await inner.data(parcel, ready);
        if (!outcome.replies.some(isPositive)) await keeper.forget(mailId);
        return outcome;
      } catch (error) {
        await keeper.forget(mailId);
        throw error;
      }
    },
    abort: () => inner.abort(),
  };
}

const asksForCopy = (choice: PackChoice, recipient: Recipient, session: Session): boolean =>
  choice
    .for(recipient, session)
    .some((pack) => pack.retention?.contentDays !== undefined && choice.mode(pack) === "enforce");
