/**
 * The queue as a next hop: it takes a mail at once and answers 250 when mail and entry are on disk. Both are written at the same
 * time; until both are there the mail is `arriving`, and nobody tries it.
 */
import type { Log } from "../../kit/log.ts";
import { type Client, isAdSender } from "../../mail/client.ts";
import { type Reply, writeReply } from "../../mail/replies.ts";
import type { Recipient, Sender, Session } from "../../mail/views.ts";
import type { Handover, HeldBy, NextHop, Outcome, Parcel } from "../next-hop.ts";
import { confirmed } from "./confirm.ts";
import type { Attempt, Carrier, QueuedMail, QueuedRecipient } from "./queued.ts";
import { DAY_MS, limitsOf, type Times } from "./schedule.ts";
import type { NewMail, Spool } from "./spool.ts";
import { mayBeTold } from "./telling.ts";

export interface HopParts {
  /** Names the way behind the queue, in the log. */
  readonly name: () => string;
  readonly spool: Spool;
  readonly carrier: Carrier;
  readonly log: Log;
  readonly now: () => number;
  readonly settings: () => Times & { readonly holdDays: number };
  /** Does mail of this client leave with a return address for each recipient? Absent: nobody's does. */
  readonly isVerp?: (client: Client) => boolean;
  /** A mail has come that may be tried at once. @returns false: it has to wait for its turn */
  readonly bring: (id: string) => boolean;
  /** A mail waits for its turn. */
  readonly onQueued: () => void;
  /** Can it keep a mail, and does anybody deliver? Not whether the way behind it is there: mail waits for that. @throws Unavailable */
  readonly ping: () => Promise<void>;
}

const OK: Reply = { code: 250, enhanced: "2.1.5", lines: ["recipient ok"] };
const QUEUED: Reply = { code: 250, enhanced: "2.0.0", lines: ["queued"] };

export function queueHop(parts: HopParts): NextHop {
  const { spool, log, ping, name } = parts;
  return {
    get name() {
      return `queue for ${name()}`;
    },
    full() {
      const why = spool.full();
      if (why === undefined) return undefined;
      log.warn({ reason: why }, "the queue is full: put off");
      return writeReply("disk-full");
    },
    begin: (session, sender, mailId) => createHandover(parts, { session, sender, mailId }),
    ping,
    close: async () => undefined,
  };
}

interface Letter {
  readonly session: Session;
  readonly sender: Sender;
  readonly mailId: string;
}

function createHandover(parts: HopParts, letter: Letter): Handover {
  const recipients: Recipient[] = [];
  const dropped = new Map<Recipient, Reply>();
  let held: { reason: string; by: HeldBy } | undefined;
  return {
    async rcpt(recipient) {
      recipients.push(recipient);
      return OK;
    },
    data: (parcel, ready) =>
      keep(parts, mailOf(parts, letter, { recipients, dropped, held, parcel }), { parcel, ready }),
    abort: () => undefined,
    hold(reason, by) {
      held = { reason, by };
    },
    ...(mayBeTold(knownOf(letter)) && {
      drop: (recipient: Recipient, why: Reply) => void dropped.set(recipient, why),
    }),
  };
}

/** What tells whether the sender would hear of a recipient that is left out; else nobody is left out. */
function knownOf({ session: { client, ...session }, sender, mailId }: Letter): QueuedMail {
  const known = { ...session, ...(client && { clientId: client.id }) };
  return { id: mailId, arrivedAt: 0, expiresAt: 0, session: known, sender, bytes: 0, recipients: [] };
}

interface Collected {
  readonly recipients: readonly Recipient[];
  readonly dropped: ReadonlyMap<Recipient, Reply>;
  readonly held: { readonly reason: string; readonly by: HeldBy } | undefined;
  readonly parcel: Parcel;
}

function mailOf({ carrier, now, settings, isVerp }: HopParts, letter: Letter, collected: Collected): NewMail {
  const { recipients, dropped, held, parcel } = collected;
  const arrivedAt = now();
  const times = settings();
  const { expiresAt, lateAt } = limitsOf(times, arrivedAt);
  const until = arrivedAt + times.holdDays * DAY_MS;
  const { client } = letter.session;
  // A client that is none may have declared this one mail an advertisement.
  const advertiser = parcel.advertiser ?? (isAdSender(client) ? client?.id : undefined);
  const mail: QueuedMail = {
    ...knownOf(letter),
    ...(parcel.isProven && { isProven: true }),
    ...(client && letter.sender.address && isVerp?.(client) && { verp: true }),
    arrivedAt,
    expiresAt,
    bytes: parcel.bytes,
    ...(advertiser !== undefined && { advertiser }),
    recipients: recipients.map((recipient) => stateOf(recipient, dropped.get(recipient), arrivedAt)),
    ...(held && { hold: { reason: held.reason, ...held.by, since: arrivedAt, until } }),
  };
  const destinations = recipients.map((recipient) => carrier.destinationOf(mail, recipient));
  return { ...mail, destinations, lateAt: held ? until : mayBeTold(mail) ? lateAt : expiresAt };
}

function stateOf(recipient: Recipient, refusal: Reply | undefined, at: number): QueuedRecipient {
  if (!refusal) return { recipient, state: "waiting", attempts: 0, nextAt: at };
  const last: Attempt = { kind: "failed", reply: refusal, scope: "recipient", at };
  return { recipient, state: "failed", attempts: 0, nextAt: at, last };
}

async function keep(
  parts: HopParts,
  mail: NewMail,
  { parcel, ready }: { parcel: Parcel; ready: Promise<unknown> },
): Promise<Outcome> {
  const { spool, log } = parts;
  const [arrived, entered] = await Promise.allSettled([spool.arrive(mail, parcel), ready]);
  if (arrived.status === "rejected" || entered.status === "rejected") {
    // Should this fail, too: nobody tries a mail that is arriving, and the next start looks whether its entry is there.
    spool.forget(mail.id).catch((error: unknown) => log.warn({ err: error, mailId: mail.id }, "a mail stays arriving"));
    throw arrived.status === "rejected" ? arrived.reason : (entered as PromiseRejectedResult).reason;
  }
  // The client need not wait: from here on a crash leaves a mail with an entry, which the next start confirms.
  if (!mayGoAtOnce(mail) || !parts.bring(mail.id)) void confirmed(parts, mail.id).then(parts.onQueued);
  return { replies: [QUEUED], isQueued: true };
}

/** To one destination, for everybody. */
const mayGoAtOnce = ({ hold, recipients, destinations }: NewMail): boolean =>
  !hold &&
  destinations.every((each) => each === destinations[0]) &&
  recipients.every(({ state }) => state === "waiting");
