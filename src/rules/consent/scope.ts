import { createHash } from "node:crypto";
import { z } from "zod";
import { parseHours } from "../../kit/hours.ts";
import type { Cap, Pack } from "../../law/pack.ts";
import { isAdSender } from "../../mail/client.ts";
import type { Headers } from "../../mail/headers.ts";
import { decodedSubject } from "../../mail/subject.ts";
import type { HeaderView, Recipient, Session } from "../../mail/views.ts";
import type { CapAsk, CapGrant, QuotaAnswer } from "../../registers/consent-quotas.ts";
import { advertiserOf, declaredAdvertising, declaredTopics } from "../../signals/declared.ts";
import { type Demand, demandsMore } from "../consequence.ts";
import { type Claim, type Context, defineRule, type Finding, PASS, type Said, skip } from "../define.ts";
import { groupByPacks } from "../groups.ts";
import { type Excess, findingsOf } from "./excess.ts";

export const scope = defineRule({
  id: "consent/scope",
  title: "No more, no other and at no other time than was agreed",
  why: "A yes covers kinds of product, a number in a period and hours; laws cap the number too. Clients that are advertisers hear at\nRCPT that a number is used up or the hour is wrong; one is taken for each recipient when the headers are in, over all nodes,\nand given back when the mail is not accepted. Register away: deferred, never passed.",
  sources: [
    { cite: "Circular 12/2008/TT-BTTTT III.1.1(a)", confidence: "doc" },
    { cite: "Decree 91/2020/ND-CP art. 13(5)", confidence: "C3" },
    { cite: "Order 38 (CN 2006) art. 13(2)", confidence: "C5" },
  ],
  falseAlarms: [
    "An advertiser that sends on behalf of several brands under one login: give each brand a client of its own",
    "A mail that is sent again by hand after the next server had taken it: it counts twice",
  ],
  options: z.strictObject({}),
  looks: {
    rcpt({ session, recipient }, context) {
      const advertiser = isAdSender(session.client) ? session.client?.id : undefined;
      if (!advertiser) return skip("the client is no advertiser");
      return judge({ session, recipients: [recipient], advertiser }, context);
    },
    header(view, context) {
      const packs = groupByPacks(view, context).flatMap((group) => group.packs);
      if (!declaredAdvertising(view, packs)) return skip("not declared as advertising");
      const advertiser = advertiserOf(view);
      if (!advertiser) return skip("no advertiser to ask about");
      return judge({ session: view.session, recipients: view.recipients, advertiser, mail: view }, context);
    },
  },
});

interface Question {
  readonly session: Session;
  readonly recipients: readonly Recipient[];
  readonly advertiser: string;
  /** Set once the mail itself is there: then quotas are taken, and kinds and similar Subjects are known. */
  readonly mail?: HeaderView;
}

/** A cap of a pack that protects a recipient, and the name its count goes by. */
interface NamedCap {
  readonly name: string;
  readonly pack: Pack;
  readonly cap: Cap;
}

interface Judged {
  readonly recipient: Recipient;
  readonly packs: readonly Pack[];
  readonly caps: readonly NamedCap[];
}

async function judge(question: Question, context: Context<unknown>): Promise<Said> {
  const { session, recipients, advertiser, mail } = question;
  const likeness = mail && once(() => likenessOf(mail.headers));
  const judged: Judged[] = [];
  for (const { packs, recipients: group } of groupByPacks({ session, recipients }, context)) {
    const caps = packs.flatMap((pack) => namedCaps(pack, likeness));
    const demands = [...scopeDemands(packs), ...caps.map(({ pack, cap }) => ({ pack, requirement: cap }))];
    if (demandsMore(session, demands)) judged.push(...group.map((recipient) => ({ recipient, packs, caps })));
  }
  if (judged.length === 0) return skip("no law asks more of this sender than a note");
  const asks = judged.map(({ recipient, caps }) => ({ recipient: recipient.address.key, caps: caps.map(askOf) }));
  const { take, look } = context.quotas;
  const answers = await (mail ? take : look)(advertiser, asks);
  const excesses = judged.flatMap((each, index) =>
    excessesOf(each, answers[index] as QuotaAnswer, { question, context }),
  );
  const claims = mail
    ? judged.flatMap(({ recipient }, index) => claimsOf(recipient, answers[index]?.grants ?? []))
    : [];
  const held: Finding[] = claims.length > 0 ? [{ kind: "pass", claims }] : [];
  const findings = [...held, ...findingsOf(session, advertiser, excesses)];
  return findings.length > 0 ? findings : PASS;
}

/** Similar mails cannot be told before there is one. */
const namedCaps = (pack: Pack, likeness: (() => string) | undefined): NamedCap[] =>
  pack.caps.flatMap((cap, index) => {
    const name = `${pack.id}.${index}`;
    if (cap.of === "mail") return [{ name, pack, cap }];
    return likeness === undefined ? [] : [{ name: `${name}.${likeness()}`, pack, cap }];
  });

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const HOUR_MS = 3_600_000;

const askOf = ({ name, cap }: NamedCap): CapAsk => ({
  name,
  max: cap.max,
  windowMs: cap.windowHours * HOUR_MS,
  unlessAgreed: cap.unlessAgreed,
});

/** Packs come in the same few lists, mail after mail. */
const known = new WeakMap<readonly Pack[], readonly Demand[]>();

/** What was agreed binds where a law asks for an agreement; those that speak of its scope come first. */
function scopeDemands(packs: readonly Pack[]): readonly Demand[] {
  let demands = known.get(packs);
  if (!demands) {
    demands = [
      ...packs.flatMap((pack) => (pack.scope ? [{ pack, requirement: pack.scope }] : [])),
      ...packs.flatMap((pack) =>
        !pack.scope && pack.consent?.model === "opt-in" ? [{ pack, requirement: pack.consent }] : [],
      ),
    ];
    known.set(packs, demands);
  }
  return demands;
}

/**
 * What two mails share that differ in labels, digits and signs only. Not the Subject: a digest, which nobody reads back.
 */
function likenessOf(headers: Headers): string {
  const letters = decodedSubject(headers)
    .normalize("NFKC")
    .toLowerCase()
    .replace(/^\s*[[(<【（〈]?(?:广告|qc|adv?|광고)(?:\s*[a-z0-9]{3}1)?[\])>】）〉]?/u, "")
    .replace(/[^\p{L}]+/gu, " ");
  return createHash("sha256").update(letters.trim()).digest("base64url").slice(0, 16);
}

const claimsOf = (recipient: Recipient, grants: readonly CapGrant[]): Claim[] =>
  grants.flatMap(({ granted, claim }) => (granted ? [{ recipient, key: claim }] : []));

interface Circumstances {
  readonly question: Question;
  readonly context: Context<unknown>;
}

/** Everything in which this mail goes beyond what this recipient's word and his laws allow. */
function excessesOf(
  { recipient, packs, caps }: Judged,
  { standing, grants }: QuotaAnswer,
  { question: { mail }, context }: Circumstances,
): Excess[] {
  const demands = scopeDemands(packs);
  const excesses: Excess[] = [];
  for (const grant of grants) {
    if (grant.granted) continue;
    const cap = caps.find(({ name }) => name === grant.name);
    if (cap) excesses.push({ recipient, kind: "cap", demands: [{ pack: cap.pack, requirement: cap.cap }], grant });
    else if (demands.length > 0) excesses.push({ recipient, kind: "number", demands, grant });
  }
  if (!standing || standing.withdrawnAtMs !== undefined || demands.length === 0) return excesses;
  const hours = standing.hours === undefined ? undefined : parseHours(standing.hours);
  const nowMs = context.clock.now();
  if (hours && !hours.has(nowMs)) excesses.push({ recipient, kind: "hours", demands, hours: hours.text });
  if (mail && standing.topics.length > 0) {
    const declared = declaredTopics(mail.headers);
    const other = declared.find((topic) => !standing.topics.includes(topic));
    if (declared.length === 0 || other !== undefined)
      excesses.push({ recipient, kind: "topic", demands, declared: declared.length > 0 });
  }
  return excesses;
}
