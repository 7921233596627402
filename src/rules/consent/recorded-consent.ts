import { z } from "zod";
import { isAdSender } from "../../mail/client.ts";
import type { Recipient, Session } from "../../mail/views.ts";
import { advertiserOf, declaredAdvertising } from "../../signals/declared.ts";
import { detectedEvidence, judgedAsDeclared, onlyPacks, READS_LIKE_IT } from "../advertising/detection.ts";
import { consequences, type Demand, demandsMore } from "../consequence.ts";
import { type Context, defineRule, type Evidence, type Finding, PASS, skip } from "../define.ts";
import { type Group, groupByPacks, packsOf } from "../groups.ts";
import { type Demands, demandsOf, isGranted, type Lack, stateOf } from "./demands.ts";

export const recordedConsent = defineRule({
  id: "consent/recorded-consent",
  title: "No advertising without the recipient's recorded yes",
  why: "Advertising goes only to recipients who clearly agreed, and stops when they refuse. Clients that are advertisers hear it\nat RCPT; for mail that declares itself it is looked up once the headers are in, and for a\nclient's mail that reads like advertising (advertising/detect) once it is read. Asked once more right before the\nhandover, when a refusal can no longer come unnoticed. Register away: deferred, never passed.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(2)", confidence: "C5" },
    { cite: "Order 38 (CN 2006) art. 14", confidence: "C3" },
  ],
  falseAlarms: ["Consents that were given on paper and never imported: consentry consent import FILE.csv"],
  options: z.strictObject({}),
  looks: {
    rcpt({ session, recipient }, context) {
      const advertiser = isAdSender(session.client) ? session.client?.id : undefined;
      if (!advertiser) return skip("the client is no advertiser");
      return judge({ session, recipients: [recipient], advertiser }, context);
    },
    header(view, context) {
      // Asked at RCPT already; asked again because a refusal may have come since.
      const { client } = view.session;
      if (client && isAdSender(client)) {
        return judge({ session: view.session, recipients: view.recipients, advertiser: client.id }, context);
      }
      if (!declaredAdvertising(view, packsOf(view, context))) return skip("not declared as advertising");
      const advertiser = advertiserOf(view);
      if (!advertiser) return skip("no advertiser to ask about");
      return judge({ session: view.session, recipients: view.recipients, advertiser }, context);
    },
    async handover({ session, reliances }, context) {
      const said = reliances.map(({ packs, ...reliance }) => {
        const packsFor: typeof context.packsFor = (recipient, of) =>
          context.packsFor(recipient, of).filter(({ id }) => packs.includes(id));
        return judge({ session, ...reliance, lacks: ["withdrawn"] }, { ...context, packsFor });
      });
      return (await Promise.all(said)).flat();
    },
    body(view, context) {
      const asked = judgedAsDeclared(view, context);
      if (!asked) return NOT_ASKED;
      return asked.then((judged) => {
        if (!judged) return skip("does not read like advertising");
        const advertiser = advertiserOf(view);
        if (!advertiser) return skip("no advertiser to ask about");
        const packsFor = onlyPacks(judged.packs, context.packsFor);
        const seen = detectedEvidence(judged.detected);
        return judge(
          { session: view.session, recipients: view.recipients, advertiser, seen },
          { ...context, packsFor },
        );
      });
    },
  },
});

const NOT_ASKED = skip("judged before, or nobody asks");

interface Question {
  readonly session: Session;
  readonly recipients: readonly Recipient[];
  readonly advertiser: string;
  /** What showed that it is advertising. */
  readonly seen?: Evidence;
  /** What is asked about. */
  readonly lacks?: readonly Lack[];
}

const LACKS: readonly Lack[] = ["missing", "withdrawn"];

async function judge(question: Question, context: Context<unknown>): Promise<Finding | readonly Finding[]> {
  const { session, recipients, advertiser, lacks = LACKS } = question;
  const keys = recipients.map(({ address }) => address.key);
  const records = await context.consents.standing(advertiser, keys);
  const groups = groupByPacks({ session, recipients }, context);
  const findings: Finding[] = [];
  if (!records.every(isGranted)) {
    const states = new Map(recipients.map((recipient, index) => [recipient, stateOf(records[index])]));
    for (const { packs, recipients: group } of groups) {
      for (const state of lacks) {
        const concerned = group.filter((recipient) => states.get(recipient) === state);
        const demands = demandsOf(packs)[state];
        if (concerned.length > 0 && demands.length > 0) {
          findings.push(...lacking(question, state, { demands, recipients: concerned }));
        }
      }
    }
  }
  const refused = recipients.filter((_, index) => records[index]?.withdrawnAtMs !== undefined);
  const relying = reliedOn(question, groups, refused);
  if (!relying) return findings.length > 0 ? findings : PASS;
  return findings.length > 0 ? [...findings, relying] : relying;
}

function lacking(
  { session, advertiser, seen }: Question,
  state: Lack,
  { demands, recipients }: { readonly demands: readonly Demand[]; readonly recipients: readonly Recipient[] },
): Finding[] {
  return consequences(session, demands, {
    reply: state === "missing" ? "consent-missing" : "consent-withdrawn",
    reason: state === "missing" ? "no consent recorded" : "consent withdrawn",
    recipients,
    evidence: { advertiser, recipients: recipients.length, ...seen },
    ...(seen && { detail: READS_LIKE_IT }),
  });
}

/** Who gets the mail only because he has not refused: asked again at the handover. */
function reliedOn(
  { session, recipients, advertiser }: Question,
  groups: readonly Group[],
  refused: readonly Recipient[],
): Finding | undefined {
  const binding = groups.filter(({ packs }) => demandsMore(session, demandsOf(packs).withdrawn));
  const [first] = binding;
  if (!first) return undefined;
  const concerned = binding.length === groups.length ? recipients : binding.flatMap((group) => group.recipients);
  const relying = refused.length === 0 ? concerned : without(concerned, new Set(refused));
  if (relying.length === 0) return undefined;
  const { packs, ids } = binding.length === 1 ? demandsOf(first.packs) : together(binding);
  return { kind: "pass", packs, reliance: { advertiser, recipients: relying, packs: ids } };
}

const without = (recipients: readonly Recipient[], refused: ReadonlySet<Recipient>): readonly Recipient[] =>
  recipients.filter((recipient) => !refused.has(recipient));

function together(groups: readonly Group[]): Pick<Demands, "packs" | "ids"> {
  const packs = [...new Set(groups.flatMap((group) => demandsOf(group.packs).packs))];
  return { packs, ids: packs.map(({ id }) => id) };
}
