import { packName } from "../law/pack.ts";
import type { Entry } from "../ledger/entry.ts";
import type { EventName } from "../ledger/events.ts";
import type { Happening } from "../ledger/recorder.ts";
import { isPositive, isTransient, type Reply, replyText } from "../mail/replies.ts";
import type { Recipient, Sender, Session } from "../mail/views.ts";
import type { Verdict } from "../pipeline/verdict.ts";
import { articleOf } from "./spoken.ts";

/** Whose entry it is: as much as is known when it is written. */
export interface Subject {
  readonly session: Session;
  readonly mailId: string;
  readonly sender?: Sender;
  readonly recipient?: Recipient;
  readonly messageId?: string | undefined;
  readonly sizeBytes?: number | undefined;
  readonly queueId?: string | undefined;
}

/** What became of it. */
export interface Result {
  readonly verdict: NonNullable<Entry["verdict"]>;
  /** The rules that had a say; absent when the door or the next hop decided. */
  readonly rules?: Verdict;
  readonly reply?: Reply;
  readonly nextHopIp?: string | undefined;
}

type IsLocal = (domain: string) => boolean;

const EVENT = { accept: "received", hold: "held", defer: "deferred", reject: "refused" } as const satisfies Record<
  NonNullable<Entry["verdict"]>,
  EventName
>;

/** The entry of one judgement of ours: one recipient's, or of what came before there was any. */
export const judgementEntry = (subject: Subject, result: Result, isLocal: IsLocal): Happening =>
  happening(subject, result, { event: EVENT[result.verdict], isLocal });

/** The entry of the next hop's word about one recipient. */
export function nextHopEntry(subject: Subject, reply: Reply, { nextHopIp, isLocal }: NextHopFacts): Happening {
  const verdict = isPositive(reply) ? "accept" : isTransient(reply) ? "defer" : "reject";
  const event = verdict === "accept" ? "handed-over" : EVENT[verdict];
  const entry = happening(subject, { verdict, reply }, { event, isLocal });
  if (nextHopIp !== undefined) entry.nextHopIp = nextHopIp;
  return entry;
}

interface NextHopFacts {
  readonly isLocal: IsLocal;
  readonly nextHopIp?: string | undefined;
}

type Draft = { -readonly [Field in keyof Happening]: Happening[Field] };

/** Written twice for every mail, so field by field instead of from parts. */
function happening(
  subject: Subject,
  result: Result,
  { event, isLocal }: { readonly event: EventName; readonly isLocal: IsLocal },
): Draft {
  const { session, mailId, sender, recipient, messageId, sizeBytes, queueId } = subject;
  const draft: Draft = { event, mailId, ...sessionPart(session), verdict: result.verdict };
  if (sender) draft.sender = sender.address?.text ?? "";
  if (recipient) {
    draft.recipient = recipient.address.text;
    draft.direction = isLocal(recipient.address.domain) ? "in" : "out";
  }
  if (messageId !== undefined) draft.messageId = messageId;
  if (sizeBytes !== undefined) draft.sizeBytes = sizeBytes;
  if (queueId !== undefined) draft.queueId = queueId;
  if (result.rules) Object.assign(draft, rulesPart(result.rules, recipient));
  if (result.reply) draft.reply = replyText(result.reply);
  return draft;
}

const written = new WeakMap<Session, Partial<Entry>>();

/** A session is a frozen value: what its entries share is put together once. */
function sessionPart(session: Session): Partial<Entry> {
  let part = written.get(session);
  if (!part) {
    part = writeSession(session);
    written.set(session, part);
  }
  return part;
}

function writeSession(session: Session): Partial<Entry> {
  const { id, door, clientIp, clientPort, serverIp, helo, login, client, tls } = session;
  return {
    sessionId: id,
    door,
    clientIp,
    clientPort,
    serverIp,
    ...(helo !== undefined && { helo }),
    ...(login !== undefined && { login }),
    ...(client && { client: client.id }),
    ...(tls !== undefined && { tls }),
  };
}

/** Rules that had something to say about this recipient, their articles and packs, and what was seen by them and those that pass. */
function rulesPart(verdict: Verdict, recipient: Recipient | undefined): Partial<Entry> {
  const telling = verdict.spoken.filter(
    ({ finding }) => finding.kind !== "pass" && finding.kind !== "skip" && concerns(finding.recipients, recipient),
  );
  const decision = verdict.for(recipient);
  const decisive = (decision.kind === "accept" ? telling[0] : decision.by)?.finding.evidence;
  const evidence = evidenceWith(verdict, decisive);
  if (telling.length === 0) return evidence ? { evidence } : {};
  const packs = new Set(telling.flatMap(({ finding }) => (finding.packs ?? []).map(packName)));
  return {
    rules: telling.map(({ rule, mode }) => (mode === "watch" ? `~${rule.id}` : rule.id)),
    articles: [...new Set(telling.map(articleOf))],
    ...(packs.size > 0 && { packs: [...packs] }),
    ...(evidence && { evidence }),
  };
}

/** A pass that brings evidence has it written down; what decided stands over it. */
function evidenceWith({ spoken }: Verdict, decisive: Entry["evidence"]): Entry["evidence"] {
  let all = decisive;
  for (const { finding } of spoken) {
    if (finding.kind === "pass" && finding.evidence) all = { ...finding.evidence, ...all };
  }
  return all;
}

const concerns = (named: readonly Recipient[] | undefined, recipient: Recipient | undefined): boolean =>
  named === undefined || recipient === undefined || named.includes(recipient);
