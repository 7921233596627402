/**
 * One leased mail, from its turn to its settlement: looked at again, tried, written down, told of, settled. What is on disk last is
 * the end of the lease: a crash before it means one more attempt, never one less.
 */
import { withDeadline } from "../../kit/deadline.ts";
import { Unavailable } from "../../kit/trouble.ts";
import type { Happening, Recorder } from "../../ledger/recorder.ts";
import { writeReply } from "../../mail/replies.ts";
import type { Recipient } from "../../mail/views.ts";
import type { Parcel } from "../next-hop.ts";
import { noteDestination } from "./away.ts";
import { settled } from "./confirm.ts";
import { queueEntries, type What, whatOf } from "./entries.ts";
import type { Attempt, Gate, Permission, QueuedRecipient, Report } from "./queued.ts";
import { waitMs } from "./schedule.ts";
import type { Change, Lease, Settlement, Spool } from "./spool.ts";
import { mayBeTold, reportOn, type TellingParts } from "./telling.ts";

export interface WorkParts extends TellingParts {
  readonly spool: Spool;
  readonly recorder: Recorder;
  readonly isLocal: (domain: string) => boolean;
  readonly gate?: Gate;
  /** Longest time one attempt may take, ms. */
  readonly attemptMaxMs: number;
  /** A server blocks the address we come from. */
  readonly onBlock?: () => void;
}

/** A place in the mail's recipients and what became of it. */
interface End {
  readonly place: number;
  readonly destination: string;
  readonly recipient: QueuedRecipient;
  readonly what: What;
  readonly attempt?: Attempt;
}

/** Where each recipient goes alone, so many of them at a time: a crash then means few that get it twice. */
const ALONE_MAX = 20;

/** @param onTried the attempt is over; told whether a destination did not answer */
export async function deliver(parts: WorkParts, taken: Lease, onTried: (isAway: boolean) => void): Promise<void> {
  const lease = taken.mail.verp ? { ...taken, due: taken.due.slice(0, ALONE_MAX) } : taken;
  const { ends, isAway } = await tryOnce(parts, lease);
  onTried(isAway);
  const tried = ends.filter((each) => each.attempt);
  if (tried.length > 0) {
    const recipients = tried.map(({ place }) => recipientAt(lease, place));
    await parts.gate?.ended(
      lease.mail,
      recipients,
      tried.map(({ attempt: one }) => one as Attempt),
    );
  }
  await write(parts, lease, ends);
  const content = once(() => parts.spool.content(lease.mail));
  await settled(parts, await settlementOf(parts, lease, { ends, content }));
}

/** The content is let go of with the attempt: more mails are being settled than are being tried. */
async function tryOnce(parts: WorkParts, lease: Lease): Promise<{ ends: readonly End[]; isAway: boolean }> {
  const content = once(() => parts.spool.content(lease.mail));
  const { ends, open } = await askGate(parts, lease);
  const away = new Map<string, Attempt>();
  for (const { destination, places } of grouped(parts, lease, open)) {
    const before = away.get(destination);
    const attempts = before ? places.map(() => before) : await attempt(parts, { lease, places, content });
    const isAway = attempts.find(({ kind, scope }) => kind === "later" && scope === "destination");
    if (!before) await noteDestination(parts, destination, isAway);
    if (isAway) away.set(destination, isAway);
    ends.push(...places.map((place, index) => endOf(parts, lease, { place, destination, attempt: attempts[index] })));
  }
  return { ends, isAway: away.size > 0 };
}

/** Who may be tried, and what is settled for the others without trying. */
async function askGate(parts: WorkParts, lease: Lease): Promise<{ ends: End[]; open: number[] }> {
  const { gate, carrier, now } = parts;
  if (!gate || lease.due.length === 0) return { ends: [], open: [...lease.due] };
  const recipients = lease.due.map((place) => recipientAt(lease, place));
  const answers = await gate.mayGo(lease.mail, recipients).catch((error: unknown): Permission[] => {
    if (!(error instanceof Unavailable)) throw error;
    const wait = { kind: "wait", untilMs: now() + STORE_WAIT_MS, reply: writeReply("store-away") } as const;
    return recipients.map(() => wait);
  });
  const ends: End[] = [];
  const open: number[] = [];
  for (const [index, place] of lease.due.entries()) {
    const answer = answers[index];
    const before = lease.mail.recipients[place] as QueuedRecipient;
    if (!answer || answer.kind === "go") {
      open.push(place);
      continue;
    }
    const destination = carrier.destinationOf(lease.mail, before.recipient);
    const last: Attempt = { kind: "failed", reply: answer.reply, scope: "recipient", at: now() };
    if (answer.kind === "wait") {
      const recipient = { ...before, nextAt: answer.untilMs, last: { ...last, kind: "later" as const } };
      ends.push({ place, destination, recipient, what: { event: "delayed", verdict: "defer", reply: answer.reply } });
    } else {
      const { reply, rule, source } = answer;
      const what: What = { event: "bounced", verdict: "reject", reply, rule, source };
      ends.push({ place, destination, recipient: { ...before, state: "failed", last }, what });
    }
  }
  return { ends, open };
}

const STORE_WAIT_MS = 60_000;

const recipientAt = ({ mail }: Lease, place: number): Recipient =>
  (mail.recipients[place] as QueuedRecipient).recipient;

interface Group {
  readonly destination: string;
  readonly places: readonly number[];
}

/** Who goes together in one attempt: those of one destination, or each alone. */
function grouped({ carrier }: WorkParts, { mail, ...lease }: Lease, places: readonly number[]): Group[] {
  const destinationOf = (place: number): string => carrier.destinationOf(mail, recipientAt({ mail, ...lease }, place));
  if (mail.verp) return places.map((place) => ({ destination: destinationOf(place), places: [place] }));
  return [...Map.groupBy(places, destinationOf)].map(([destination, those]) => ({ destination, places: those }));
}

interface Task {
  readonly lease: Lease;
  readonly places: readonly number[];
  readonly content: () => Promise<Parcel>;
}

async function attempt(parts: WorkParts, { lease, places, content }: Task): Promise<readonly Attempt[]> {
  const recipients = places.map((place) => recipientAt(lease, place));
  const all = (made: Omit<Attempt, "kind" | "at">): Attempt[] =>
    recipients.map(() => ({ kind: "later", at: parts.now(), ...made }));
  try {
    const work = parts.carrier.attempt(lease.mail, recipients, await content());
    return await withDeadline(work, parts.attemptMaxMs, "next-hop", `an attempt for mail ${lease.mail.id}`);
  } catch (error) {
    if (error instanceof Unavailable) {
      parts.log.warn({ mailId: lease.mail.id, reason: error.message }, "an attempt did not end");
      const id = error.dependency === "disk" ? "local-trouble" : "next-hop-away";
      return all({ reply: writeReply(id, { detail: error.message }), scope: "mail" });
    }
    parts.log.error({ err: error, mailId: lease.mail.id }, "a bug: the mail waits for its next attempt");
    return all({ reply: writeReply("local-trouble"), scope: "mail" });
  }
}

function endOf(
  { now, times }: WorkParts,
  { mail }: Lease,
  { place, destination, attempt: made }: { place: number; destination: string; attempt: Attempt | undefined },
): End {
  const before = mail.recipients[place] as QueuedRecipient;
  const last: Attempt = made ?? { kind: "later", reply: writeReply("local-trouble"), scope: "mail", at: now() };
  const attempts = before.attempts + 1;
  const { retrySeconds, jitter } = times();
  const nextAt = last.kind === "later" ? now() + waitMs(retrySeconds, attempts, jitter) : before.nextAt;
  const state = last.kind === "later" ? "waiting" : last.kind;
  return {
    place,
    destination,
    attempt: last,
    what: whatOf(last),
    recipient: { ...before, state, attempts, nextAt, last },
  };
}

/** Entries are on disk before the lease ends. One that cannot be written is said in the log: the mail is where it is. */
async function write(parts: WorkParts, { mail }: Lease, ends: readonly End[]): Promise<void> {
  const whats = new Map(ends.map(({ place, what }) => [place, what]));
  const entries = queueEntries(mail, [...whats.keys()], {
    isLocal: parts.isLocal,
    what: (place) => whats.get(place) as What,
  });
  await record(parts, mail.id, entries);
}

async function record({ recorder, log }: WorkParts, mailId: string, entries: readonly Happening[]): Promise<void> {
  if (entries.length === 0) return;
  try {
    await recorder.record(entries);
  } catch (error) {
    log.error({ err: error, mailId }, "what became of a mail could not be written down");
  }
}

interface Ended {
  readonly ends: readonly End[];
  readonly content: () => Promise<Parcel>;
}

/** Where a report could not be written now, it is tried again so much later. */
const TELL_AGAIN_MS = 300_000;

async function settlementOf(parts: WorkParts, lease: Lease, { ends, content }: Ended): Promise<Settlement> {
  const failed = ends.filter(({ recipient }) => recipient.state === "failed");
  const news: QueuedRecipient[] = [
    ...lease.untold.map((place) => lease.mail.recipients[place] as QueuedRecipient),
    ...failed.map(({ recipient }) => recipient),
  ];
  const told = await tell(parts, { lease, kind: "failed", news, content });
  const good = ends.filter(({ recipient, attempt: made }) => wantsSuccess(recipient) && !made?.tellsSender);
  const [delivered, relayed] = [true, false].map((isFinal) =>
    good.filter(({ attempt: made }) => (made?.isFinal === true) === isFinal).map(({ recipient }) => recipient),
  );
  const arrived = await tell(parts, { lease, kind: "delivered", news: delivered ?? [], content });
  const passedOn = await tell(parts, { lease, kind: "relayed", news: relayed ?? [], content });
  const changes = new Map<number, Change>();
  for (const { place, destination, recipient } of ends) {
    changes.set(place, { recipient, destination, isTold: recipient.state === "failed" && told.isSettled });
  }
  for (const place of told.isSettled ? lease.untold : []) {
    const recipient = lease.mail.recipients[place] as QueuedRecipient;
    const destination = parts.carrier.destinationOf(lease.mail, recipient.recipient);
    changes.set(place, { recipient, destination, isTold: true });
  }
  const again = told.isSettled ? {} : { lateAt: parts.now() + TELL_AGAIN_MS };
  return { lease, changes, reports: [...told.reports, ...arrived.reports, ...passedOn.reports], ...again };
}

const wantsSuccess = ({ state, recipient }: QueuedRecipient): boolean =>
  state === "delivered" && recipient.notify?.includes("SUCCESS") === true;

export interface News {
  readonly lease: Lease;
  readonly kind: Report["kind"];
  readonly news: readonly QueuedRecipient[];
  readonly content: () => Promise<Parcel>;
}

/** @returns the report, if there is one; not settled: it could not be written, and is to be tried again */
export async function tell(
  parts: WorkParts,
  { lease, kind, news, content }: News,
): Promise<{ reports: Settlement["reports"]; isSettled: boolean }> {
  if (news.length === 0 || !mayBeTold(lease.mail)) return { reports: [], isSettled: true };
  try {
    const report = await reportOn(parts, { kind, mail: lease.mail, recipients: news }, content);
    if (!report) return { reports: [], isSettled: true };
    const what: What = { event: "reported", evidence: { about: lease.mail.id, kind } };
    await record(parts, lease.mail.id, queueEntries(report.mail, [0], { isLocal: parts.isLocal, what: () => what }));
    return { reports: [report], isSettled: true };
  } catch (error) {
    if (error instanceof Unavailable) return { reports: [], isSettled: false };
    parts.log.error({ err: error, mailId: lease.mail.id }, "a bug: the sender is not told what became of the mail");
    return { reports: [], isSettled: true };
  }
}

export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

export { record };
