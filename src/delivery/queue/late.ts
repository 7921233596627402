/** Mails that are looked at though nothing is due: the sender hears of a delay, a life or a hold ends, a report is written after all. */
import { writeReply } from "../../mail/replies.ts";
import { settled } from "./confirm.ts";
import { queueEntries, type What } from "./entries.ts";
import type { QueuedRecipient } from "./queued.ts";
import type { Change, Lease, Settlement } from "./spool.ts";
import { once, record, tell, type WorkParts } from "./work.ts";

export interface LateParts extends WorkParts {
  /** The sender of a mail that was held to its end is told. */
  readonly tellsHoldEnd: () => boolean;
}

export async function lookAgain(parts: LateParts, lease: Lease): Promise<void> {
  const nowMs = parts.now();
  const { hold, expiresAt } = lease.mail;
  if (hold) {
    if (hold.until <= nowMs) return endHold(parts, lease);
    return settled(parts, { lease, changes: new Map(), reports: [], lateAt: hold.until });
  }
  return expiresAt <= nowMs ? giveUp(parts, lease) : tellOfDelay(parts, lease);
}

const waiting = ({ mail }: Lease): number[] =>
  mail.recipients.flatMap(({ state }, place) => (state === "waiting" ? [place] : []));

/** RFC 5321 4.5.4.1: it could not be delivered for days. */
async function giveUp(parts: LateParts, lease: Lease): Promise<void> {
  const places = waiting(lease);
  const ended = places.map((place) => expired(lease, place));
  await writeDown(parts, lease, places);
  const content = once(() => parts.spool.content(lease.mail));
  const untold = lease.untold.map((place) => lease.mail.recipients[place] as QueuedRecipient);
  const { reports, isSettled } = await tell(parts, { lease, kind: "expired", news: [...untold, ...ended], content });
  const changes = changesOf(parts, lease, { places: [...lease.untold, ...places], isTold: isSettled });
  await settled(parts, { lease, changes, reports, ...(!isSettled && { lateAt: parts.now() + AGAIN_MS }) });
}

const AGAIN_MS = 300_000;

/** Nobody released it in its time: it is not delivered, and the entry says so. */
async function endHold(parts: LateParts, lease: Lease): Promise<void> {
  const places = waiting(lease);
  const { hold } = lease.mail;
  await writeDown(parts, lease, places, { rule: hold?.rule, source: hold?.source, evidence: { hold: true } });
  const content = once(() => parts.spool.content(lease.mail));
  const news = parts.tellsHoldEnd() ? places.map((place) => expired(lease, place)) : [];
  const { reports } = await tell(parts, { lease, kind: "expired", news, content });
  const all = { places: [...lease.untold, ...places], isTold: true };
  await settled(parts, { lease, changes: changesOf(parts, lease, all), reports, endsHold: true });
}

async function tellOfDelay(parts: LateParts, lease: Lease): Promise<void> {
  const content = once(() => parts.spool.content(lease.mail));
  const untold = lease.untold.map((place) => lease.mail.recipients[place] as QueuedRecipient);
  const failed = await tell(parts, { lease, kind: "failed", news: untold, content });
  const late = lease.isDelayTold ? [] : waiting(lease).map((place) => lease.mail.recipients[place] as QueuedRecipient);
  const delayed = await tell(parts, { lease, kind: "delayed", news: late, content });
  const isDone = failed.isSettled && delayed.isSettled;
  await settled(parts, {
    lease,
    changes: failed.isSettled ? changesOf(parts, lease, { places: lease.untold, isTold: true }) : new Map(),
    reports: [...failed.reports, ...delayed.reports],
    isDelayTold: delayed.isSettled,
    lateAt: isDone ? lease.mail.expiresAt : parts.now() + AGAIN_MS,
  });
}

function expired({ mail }: Lease, place: number): QueuedRecipient {
  const before = mail.recipients[place] as QueuedRecipient;
  return before.state === "waiting" ? { ...before, state: "expired" } : before;
}

function changesOf(
  { carrier }: LateParts,
  lease: Lease,
  { places, isTold }: { places: readonly number[]; isTold: boolean },
): Settlement["changes"] {
  return new Map(
    places.map((place): [number, Change] => {
      const recipient = expired(lease, place);
      return [place, { recipient, destination: carrier.destinationOf(lease.mail, recipient.recipient), isTold }];
    }),
  );
}

function writeDown(
  parts: LateParts,
  { mail }: Lease,
  places: readonly number[],
  more: Partial<What> = {},
): Promise<void> {
  const what = (place: number): What => ({
    event: "expired",
    verdict: "reject",
    reply: mail.recipients[place]?.last?.reply ?? writeReply("next-hop-away"),
    ...more,
  });
  return record(parts, mail.id, queueEntries(mail, places, { isLocal: parts.isLocal, what }));
}
