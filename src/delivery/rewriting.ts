/**
 * Envelope senders of forwarded mail rewritten on the way out, and bounces to them led back (srs.ts): in front of any next hop, and in the
 * queue. The same for return addresses of clients' mail (verp.ts), which are written in the queue only, where each copy goes alone.
 */
import type { Config } from "../config/schema.ts";
import { readSecret } from "../config/secret.ts";
import type { Clock } from "../kit/clock.ts";
import type { Tables } from "../kit/store.ts";
import type { Address } from "../mail/address.ts";
import type { Client } from "../mail/client.ts";
import { deliveryStatuses, type StatusOf } from "../mail/delivery-status.ts";
import { isPositive, type Reply, writeReply } from "../mail/replies.ts";
import { isOwn, type Recipient, type Sender, type Session } from "../mail/views.ts";
import type { Handover, NextHop, Parcel } from "./next-hop.ts";
import type { Carrier } from "./queue/queued.ts";
import { createSrs, type Srs } from "./srs.ts";
import { createVerp, type Returned, type Verp } from "./verp.ts";

export interface RewritingParts {
  /** In force now; undefined: nothing is rewritten. */
  readonly srs: () => Srs | undefined;
  /** In force now; undefined: nobody's mail has return addresses of ours. */
  readonly verp: () => Verp | undefined;
  /** Told of each bounce that came back to one of them. Never throws. */
  readonly onReturned: (returned: Returned, bounce: Bounce) => Promise<void>;
  readonly isLocal: (domain: string) => boolean;
}

/** A bounce that is on its way back. */
export interface Bounce {
  readonly mailId: string;
  /** What it says of recipients; empty where it is no report that programs read. */
  readonly statuses: readonly StatusOf[];
}

export function rewritingHop(inner: NextHop, { srs, verp, isLocal, onReturned }: RewritingParts): NextHop {
  return {
    get name() {
      return inner.name;
    },
    ...(inner.full && { full: () => inner.full?.() }),
    ping: () => inner.ping(),
    close: (graceMs) => inner.close(graceMs),
    begin(session, sender, mailId) {
      const [forwards, returns] = [srs(), verp()];
      if (sender.address === null) {
        const handover = inner.begin(session, sender, mailId);
        return forwards || returns ? ledBack(handover, { forwards, returns, mailId, onReturned }) : handover;
      }
      const ours = isForwarded(session, sender, isLocal) ? forwards?.rewrite(sender.address) : undefined;
      return inner.begin(session, ours ? { ...sender, address: ours } : sender, mailId);
    },
  };
}

/** Mail that one of our own hosts passes on for somebody else. */
const isForwarded = (session: Session, { address }: Sender, isLocal: (domain: string) => boolean): boolean =>
  isOwn(session) && session.client === undefined && address !== null && !isLocal(address.domain);

interface Leading extends Pick<RewritingParts, "onReturned"> {
  readonly forwards: Srs | undefined;
  readonly returns: Verp | undefined;
  readonly mailId: string;
}

/** A bounce: its recipient may be a sender that we wrote. */
function ledBack(inner: Handover, { forwards, returns, mailId, onReturned }: Leading): Handover {
  /** Whoever leaves a recipient out names the one we were given. */
  const given = new Map<Recipient, Recipient>();
  const returned: Returned[] = [];
  const backOf = (recipient: Recipient): Recipient => given.get(recipient) ?? recipient;
  const leadTo = async (recipient: Recipient, address: Address): Promise<Reply> => {
    const led = { ...recipient, address };
    given.set(recipient, led);
    return inner.rcpt(led);
  };
  return {
    ...(inner.answersEach !== undefined && { answersEach: inner.answersEach }),
    ...(inner.drop && { drop: (recipient, why) => inner.drop?.(backOf(recipient), why) }),
    ...(inner.hold && { hold: (reason, by) => inner.hold?.(reason, by) }),
    async rcpt(recipient) {
      const forwarded = forwards?.reverse(recipient.address);
      const back = forwarded ?? (await returns?.read(recipient.address));
      if (back === "bad") return writeReply("no-local-mailbox");
      if (!back) return inner.rcpt(recipient);
      if (!("sender" in back)) return leadTo(recipient, back);
      const reply = await leadTo(recipient, back.sender);
      if (isPositive(reply)) returned.push(back);
      return reply;
    },
    async data(parcel, ready) {
      if (returned.length === 0) return inner.data(parcel, ready);
      const statuses = deliveryStatuses(await beginningOf(parcel));
      const outcome = await inner.data(parcel, ready);
      if (outcome.replies.some(isPositive)) for (const each of returned) void onReturned(each, { mailId, statuses });
      return outcome;
    },
    abort: () => inner.abort(),
  };
}

/** A report's part for programs stands before what came back. */
const BEGINNING_BYTES = 262_144;

async function beginningOf({ whole, read }: Parcel): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of whole ? [whole] : read()) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= BEGINNING_BYTES) break;
  }
  return Buffer.concat(pieces).toString("latin1", 0, BEGINNING_BYTES);
}

/** Copies of clients' mail leave with return addresses of their own. */
export function returning(inner: Carrier, verp: () => Verp | undefined): Carrier {
  return {
    ...inner,
    async attempt(mail, recipients, parcel) {
      const { clientId } = mail.session;
      const [only, ...more] = recipients;
      const { address: sender } = mail.sender;
      const returns = mail.verp && more.length === 0 && sender ? verp() : undefined;
      if (!returns || !only || !sender || clientId === undefined) return inner.attempt(mail, recipients, parcel);
      const { advertiser } = mail;
      const address = await returns.write({
        ...{ sender, recipient: only.address, client: clientId },
        ...(advertiser !== undefined && { advertiser }),
      });
      const own = address ? { ...mail, sender: { ...mail.sender, address } } : mail;
      return inner.attempt(own, recipients, parcel);
    },
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

const known = new WeakMap<Config, Srs>();

/** What rewrites by this configuration; undefined: it leaves senders as they are. @throws Misuse when the site's secret cannot be read */
export function srsOf({ clock }: { readonly clock: Clock }, config: Config): Srs | undefined {
  if (config.envelopeRewriting.mode === "off") return undefined;
  const srs = known.get(config) ?? createSrs({ ...placeOf(config), nowMs: clock.now });
  known.set(config, srs);
  return srs;
}

const knownVerp = new WeakMap<Config, Verp>();

/** The same for return addresses of clients' mail. */
export function verpOf(ground: { readonly clock: Clock; readonly tables: Tables }, config: Config): Verp | undefined {
  if (config.envelopeRewriting.verp === "off") return undefined;
  const verp =
    knownVerp.get(config) ?? createVerp({ ...placeOf(config), nowMs: ground.clock.now, tables: ground.tables });
  knownVerp.set(config, verp);
  return verp;
}

/** Does this client's mail get them? */
export const isVerp = ({ verp }: Client, { envelopeRewriting }: Config): boolean =>
  envelopeRewriting.verp !== "off" && (verp ?? envelopeRewriting.verp === "all");

/** The domain of those its mail leaves with; undefined: its own senders. */
export const returnDomainOf = (client: Client, config: Config): string | undefined =>
  isVerp(client, config) ? domainOf(config) : undefined;

const domainOf = ({ envelopeRewriting, hostname }: Config): string =>
  envelopeRewriting.domain ?? hostname.toLowerCase();

const placeOf = (config: Config) => ({
  domain: domainOf(config),
  daysMax: config.envelopeRewriting.daysMax,
  secret: readSecret(config),
});
