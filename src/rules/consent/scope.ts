import { createHash } from "node:crypto";
import { z } from "zod";
import { parseHours } from "../../kit/hours.ts";
import type { Pack } from "../../law/pack.ts";
import { isAdSender } from "../../mail/client.ts";
import type { Headers } from "../../mail/headers.ts";
import { decodedSubject } from "../../mail/subject.ts";
import type { HeaderView, Recipient, Session } from "../../mail/views.ts";
import type { CapAsk, CapGrant, ConsentQuotas, QuotaAnswer } from "../../registers/consent-quotas.ts";
import { advertiserOf, declaredAdvertising, declaredTopics } from "../../signals/declared.ts";
import { demandsMore } from "../consequence.ts";
import { type Claim, type Context, defineRule, type Finding, PASS, type Said, skip } from "../define.ts";
import { groupByPacks } from "../groups.ts";
import { countsInQueue, type NamedCap, namedCaps, scopeDemands } from "./caps.ts";
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
  options: z.strictObject({
    wait: z
      .boolean()
      .default(false)
      .describe(
        "with nextHop.mode: queue: a mail beyond its number or outside its hours is accepted and waits until it may go; what is delivered counts",
      ),
  }),
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

interface Judged {
  readonly recipient: Recipient;
  readonly packs: readonly Pack[];
  readonly caps: readonly NamedCap[];
  /** Numbers and hours are kept in the queue: only kinds of product are left to look at. */
  readonly waits: boolean;
}

interface Options {
  readonly wait: boolean;
}

async function judge(question: Question, context: Context<Options>): Promise<Said> {
  const { session, recipients, advertiser, mail } = question;
  const likeness = mail && once(() => likenessOf(mail.headers));
  const judged: Judged[] = [];
  for (const { packs, recipients: group } of groupByPacks({ session, recipients }, context)) {
    const waits = context.options.wait && isQueued(session) && countsInQueue(packs);
    if (waits && !mail) continue;
    const caps = waits ? [] : packs.flatMap((pack) => namedCaps(pack, likeness));
    const demands = [...scopeDemands(packs), ...caps.map(({ pack, cap }) => ({ pack, requirement: cap }))];
    if (demandsMore(session, demands)) judged.push(...group.map((recipient) => ({ recipient, packs, caps, waits })));
  }
  if (judged.length === 0) return skip("no law asks more of this sender than a note, or it waits in the queue");
  const answers = await answersFor(judged, question, context);
  const [excesses, claims]: [Excess[], Claim[]] = [[], []];
  for (const [index, each] of judged.entries()) {
    const answer = answers[index] as QuotaAnswer;
    excesses.push(...excessesOf(each, answer, { question, context }));
    if (mail && !each.waits) claims.push(...claimsOf(each.recipient, answer.grants));
  }
  const held: Finding[] = claims.length > 0 ? [{ kind: "pass", claims }] : [];
  if (excesses.length === 0) return held[0] ?? PASS;
  return [...held, ...findingsOf(session, advertiser, excesses)];
}

/** The queue asks again for mail of advertising clients; an MTA that asks by milter has a queue of its own. */
const isQueued = ({ client, door }: Session): boolean => isAdSender(client) && door !== "milter";

/** Nothing is taken for those who wait, nor before the mail itself is there. In the order of `judged`. */
async function answersFor(
  judged: readonly Judged[],
  { advertiser, mail }: Question,
  { quotas }: Context<unknown>,
): Promise<readonly QuotaAnswer[]> {
  const ask = (about: readonly Judged[], how: ConsentQuotas["take"]): Promise<readonly QuotaAnswer[]> =>
    how(
      advertiser,
      about.map(({ recipient, caps }) => ({ recipient: recipient.address.key, caps: caps.map(askOf) })),
    );
  const take = mail ? quotas.take : quotas.look;
  const waiting = judged.filter(({ waits }) => waits);
  if (waiting.length === 0) return ask(judged, take);
  if (waiting.length === judged.length) return ask(judged, quotas.look);
  const others = judged.filter(({ waits }) => !waits);
  const [looked, taken] = await Promise.all([ask(waiting, quotas.look), ask(others, take)]);
  const [ofWaiting, ofOthers] = [looked.values(), taken.values()];
  return judged.map(({ waits }) => (waits ? ofWaiting : ofOthers).next().value as QuotaAnswer);
}

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
  { recipient, packs, caps, waits }: Judged,
  { standing, grants }: QuotaAnswer,
  { question: { mail }, context }: Circumstances,
): Excess[] {
  const demands = scopeDemands(packs);
  const excesses: Excess[] = [];
  for (const grant of waits ? [] : grants) {
    if (grant.granted) continue;
    const cap = caps.find(({ name }) => name === grant.name);
    if (cap) excesses.push({ recipient, kind: "cap", demands: [{ pack: cap.pack, requirement: cap.cap }], grant });
    else if (demands.length > 0) excesses.push({ recipient, kind: "number", demands, grant });
  }
  if (!standing || standing.withdrawnAtMs !== undefined || demands.length === 0) return excesses;
  const hours = standing.hours === undefined ? undefined : parseHours(standing.hours);
  const nowMs = context.clock.now();
  if (hours && !waits && !hours.has(nowMs)) excesses.push({ recipient, kind: "hours", demands, hours: hours.text });
  if (mail && standing.topics.length > 0) {
    const declared = declaredTopics(mail.headers);
    const other = declared.find((topic) => !standing.topics.includes(topic));
    if (declared.length === 0 || other !== undefined)
      excesses.push({ recipient, kind: "topic", demands, declared: declared.length > 0 });
  }
  return excesses;
}
