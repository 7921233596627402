/**
 * Advertising that waits in the queue is looked at again before each attempt: a refusal that came meanwhile stops it, a yes that has run
 * out of number waits until one is free, hours are kept. What is delivered counts; what is not goes back. Addresses that bounced for good
 * are marked with the consent they were given.
 */
import type { RuleMode } from "../config/schema.ts";
import type { Clock } from "../kit/clock.ts";
import { parseHours } from "../kit/hours.ts";
import { createRecent } from "../kit/recent.ts";
import type { Key, Windows } from "../kit/store.ts";
import type { PackChoice } from "../law/choice.ts";
import type { Pack } from "../law/pack.ts";
import type { Source } from "../law/source.ts";
import type { Client } from "../mail/client.ts";
import { type ReplyId, writeReply } from "../mail/replies.ts";
import type { Recipient, Session } from "../mail/views.ts";
import type { CapAsk, ConsentQuotas, QuotaAnswer } from "../registers/consent-quotas.ts";
import type { ConsentRegister } from "../registers/consents.ts";
import { countsInQueue, type NamedCap, queuedCaps, scopeDemands } from "../rules/consent/caps.ts";
import { demandsOf, stateOf } from "../rules/consent/demands.ts";
import { type Demand, wanted } from "../rules/consequence.ts";
import type { Attempt, Gate, Permission, QueuedMail } from "./queue/queued.ts";

/** The same as a `Gate`, of a client that is known. */
export interface AdGate extends Pick<Gate, "ended"> {
  mayGo(mail: QueuedMail, recipients: readonly Recipient[], client: Client): Promise<readonly Permission[]>;
}

export interface AdGateParts {
  readonly quotas: ConsentQuotas;
  readonly consents: Pick<ConsentRegister, "bounced">;
  readonly windows: Pick<Windows, "giveBack">;
  readonly clock: Clock;
  /** What is in force now. */
  readonly law: () => { readonly choice: PackChoice; readonly gate: GateSettings };
  /** What could not be counted: it falls out of its window by itself. */
  readonly onTrouble: (error: unknown) => void;
}

/** What the operator says of the rules on consent. */
export interface GateSettings {
  readonly modeOf: (rule: "consent/recorded-consent" | "consent/scope", client: string) => RuleMode;
  /** Caps, numbers and hours are kept here and not at the door. */
  readonly waits: boolean;
}

/** Most mails whose quotas are held at once; what is forgotten falls out of its window. */
const HELD_MAX = 100_000;
const HELD_MS = 3_600_000;

const GO: Permission = Object.freeze({ kind: "go" });

export function createAdGate(parts: AdGateParts): AdGate {
  /** What a mail took for a recipient, until it is known whether he got it. */
  const held = createRecent<readonly Key[]>(HELD_MAX);
  const giveBack = (keys: readonly Key[]): void => {
    for (const key of keys) parts.windows.giveBack(key).catch(parts.onTrouble);
  };
  return {
    async mayGo(mail, recipients, client) {
      const answers = await ask(parts, { mail, advertiser: mail.advertiser ?? client.id, client, recipients });
      return answers.map(({ permission, taken }, index) => {
        const recipient = recipients[index];
        if (permission.kind !== "go") giveBack(taken);
        else if (taken.length > 0 && recipient) held.set(nameOf(mail, recipient), taken, parts.clock.now() + HELD_MS);
        return permission;
      });
    },
    async ended(mail, recipients, attempts) {
      for (const [index, recipient] of recipients.entries()) {
        const attempt = attempts[index];
        const name = nameOf(mail, recipient);
        const taken = held.get(name, parts.clock.now());
        if (taken && attempt?.kind !== "delivered") giveBack(taken);
        held.delete(name);
        if (mail.advertiser === undefined || !attempt || !isHardBounce(attempt)) continue;
        await parts.consents.bounced(mail.advertiser, recipient.address.key).catch(parts.onTrouble);
      }
    },
  };
}

const nameOf = ({ id }: QueuedMail, { address }: Recipient): string => `${id} ${address.key}`;

/** The address does not exist, or takes no mail for good (RFC 3463 3.2, 3.3); not: this mail was not wanted. */
export const isHardBounce = ({ kind, scope, reply: { code, enhanced } }: Attempt): boolean =>
  kind === "failed" &&
  scope === "recipient" &&
  (isHardStatus(enhanced) || (enhanced === "" && (code === 550 || code === 553)));

export const isHardStatus = (status: string): boolean => /^5\.(?:1\.[1236]|1\.10|2\.1)$/.test(status);

interface Question {
  readonly mail: QueuedMail;
  readonly advertiser: string;
  readonly client: Client;
  readonly recipients: readonly Recipient[];
}

interface Answer {
  readonly permission: Permission;
  readonly taken: readonly Key[];
}

async function ask(parts: AdGateParts, question: Question): Promise<Answer[]> {
  const { mail, advertiser, client, recipients } = question;
  const { choice, gate } = parts.law();
  const session: Session = { ...mail.session, client };
  const judged = recipients.map((recipient) => {
    const all = choice.for(recipient, session);
    const packs = all.filter((pack) => choice.mode(pack) === "enforce");
    const counts = gate.waits && countsInQueue(all);
    return { recipient, packs, caps: counts ? queuedCaps(packs) : [], counts };
  });
  const keeps = gate.modeOf("consent/scope", client.id) === "enforce";
  const asks = judged.map(({ recipient, caps }) => ({ recipient: recipient.address.key, caps: caps.map(askOf) }));
  // Only those that are counted here take something; the others are looked at.
  const take = keeps ? parts.quotas.take : parts.quotas.look;
  const [counted, looked] = [true, false].map((counts) =>
    judged.flatMap((each, i) => (each.counts === counts ? [i] : [])),
  );
  const [taken, seen] = await Promise.all([
    counted?.length ? take(advertiser, pick(asks, counted)) : [],
    looked?.length ? parts.quotas.look(advertiser, pick(asks, looked)) : [],
  ]);
  const answers = new Map<number, QuotaAnswer>();
  for (const [at, index] of (counted ?? []).entries()) answers.set(index, taken[at] as QuotaAnswer);
  for (const [at, index] of (looked ?? []).entries()) answers.set(index, seen[at] as QuotaAnswer);
  return judged.map((each, index) => {
    const answer = answers.get(index) as QuotaAnswer;
    const grants = each.counts && keeps ? answer.grants.filter(({ granted }) => granted) : [];
    const permission = permissionOf(parts, { ...each, answer, client, session, keeps });
    return { permission, taken: grants.map(({ claim }) => claim) };
  });
}

const pick = <T>(all: readonly T[], places: readonly number[]): T[] => places.map((place) => all[place] as T);

const askOf = ({ name, cap }: NamedCap): CapAsk => ({
  name,
  max: cap.max,
  windowMs: cap.windowHours * 3_600_000,
  unlessAgreed: cap.unlessAgreed,
});

interface Judged {
  readonly recipient: Recipient;
  readonly packs: readonly Pack[];
  readonly caps: readonly NamedCap[];
  /** Numbers and hours are kept here. */
  readonly counts: boolean;
  readonly answer: QuotaAnswer;
  readonly client: Client;
  readonly session: Session;
  /** consent/scope is enforced. */
  readonly keeps: boolean;
}

function permissionOf({ clock, law }: AdGateParts, judged: Judged): Permission {
  const { packs, caps, counts, answer, client, session, keeps } = judged;
  const { standing, grants } = answer;
  const state = stateOf(standing);
  if (state !== "granted" && law().gate.modeOf("consent/recorded-consent", client.id) === "enforce") {
    const source = demanded(session, demandsOf(packs)[state]);
    const reply = state === "missing" ? "consent-missing" : "consent-withdrawn";
    if (source) return never("consent/recorded-consent", reply, source);
  }
  if (!keeps || !standing) return GO;
  const scope = demanded(session, scopeDemands(packs));
  const hours = standing.hours === undefined ? undefined : parseHours(standing.hours);
  const nowMs = clock.now();
  // A yes that was given for the day does not cover the night, however the mail came to wait.
  if (scope && hours && !hours.has(nowMs)) return wait(hours.opensAtMs(nowMs), "consent-hours", hours.text, scope);
  if (!counts) return GO;
  const full = grants.find(({ granted, name }) => {
    if (granted) return false;
    const cap = caps.find((each) => each.name === name);
    return cap ? demanded(session, [{ pack: cap.pack, requirement: cap.cap }]) : scope;
  });
  if (!full) return GO;
  const source = caps.find(({ name }) => name === full.name)?.cap.source ?? scope;
  return wait(
    Math.max(full.freesAtMs, nowMs + 1_000),
    full.name === undefined ? "consent-number" : "cap-reached",
    `${full.max} in ${full.windowMs / 3_600_000} hours`,
    source,
  );
}

/** The source of the first that wants more than a note. */
const demanded = (session: Session, demands: readonly Demand[]): Source | undefined =>
  demands.find(({ requirement }) => ["reject", "label"].includes(wanted(requirement, session)))?.requirement.source;

const never = (rule: string, reply: ReplyId, source: Source): Permission => ({
  kind: "never",
  reply: writeReply(reply, { article: source.cite }),
  rule,
  source: source.cite,
});

/** The words are those of a refusal at the door; here they are not for good. */
const wait = (untilMs: number, reply: ReplyId, detail: string, source: Source | undefined): Permission => ({
  kind: "wait",
  untilMs,
  reply: { ...writeReply(reply, { detail, article: source?.cite }), code: 450, enhanced: "4.7.1" },
});
