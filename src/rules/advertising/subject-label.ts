import { z } from "zod";
import type { Pack } from "../../law/pack.ts";
import type { HeaderView } from "../../mail/views.ts";
import { carriesLabel, declaredAdvertising } from "../../signals/declared.ts";
import { consequences, type Demand, wanted } from "../consequence.ts";
import { defineRule, type Evidence, type Finding, note, PASS, type Said, skip } from "../define.ts";
import { type Group, groupByPacks } from "../groups.ts";
import { detectedEvidence, judgedAsDeclared, onlyPacks, READS_LIKE_IT } from "./detection.ts";
import { labelEdit } from "./label-edit.ts";
import { commonLabels, inAscii, labelsOf, splitOf } from "./label-words.ts";

const optionsSchema = z.strictObject({
  addLabel: z
    .boolean()
    .default(false)
    .describe(
      "put the label in front of the Subject of our own clients' unsigned mail where it would be refused or held",
    ),
});

export const subjectLabel = defineRule({
  id: "advertising/subject-label",
  title: "An advertisement says so at the front of its Subject",
  why: "An advertisement that declares itself, or a client's that reads like one (advertising/detect), needs the label of a law that protects the recipient, first in the Subject as a reader sees\nit. Where several packs protect him, the label of any of them will do: two labels cannot both be first. Recipients whose\nlaws share no label need mails of their own, and the reply says which.",
  sources: [{ cite: "Order 38 (CN 2006) art. 13(3)", confidence: "C5" }],
  falseAlarms: [
    "A client registered as advertiser that also sends ordinary mail: give that its own login",
    "A newsletter that is no advertisement, sent with List-Unsubscribe and Precedence: bulk",
  ],
  options: optionsSchema,
  looks: {
    header(view, context) {
      const groups = groupByPacks(view, context);
      const declared = declaredAdvertising(
        view,
        groups.flatMap((group) => group.packs),
      );
      if (!declared) return skip("not declared as advertising");
      const why = { reason: "declared as advertising, without a label", evidence: { declared } };
      return judgeAll(view, groups, { ...why, ...context.options });
    },
    body(view, context) {
      const asked = judgedAsDeclared(view, context);
      if (!asked) return NOT_ASKED;
      return asked.then((judged) => {
        if (!judged) return skip("does not read like advertising");
        const groups = groupByPacks(view, { packsFor: onlyPacks(judged.packs, context.packsFor) });
        const evidence = detectedEvidence(judged.detected);
        // A label is put only on what says itself that it is advertising.
        const why = {
          reason: "reads like advertising, without a label",
          evidence,
          more: READS_LIKE_IT,
          addLabel: false,
        };
        return judgeAll(view, groups, why);
      });
    },
  },
});

const NOT_ASKED = skip("judged with the headers, or nobody asks");

interface Why {
  readonly reason: string;
  readonly evidence: Evidence;
  readonly addLabel: boolean;
  /** What the client hears besides the labels. */
  readonly more?: string;
}

/** @param groups everybody in the mail by law: it has one Subject for all */
function judgeAll(view: HeaderView, groups: readonly Group[], why: Why): Said {
  const labelling = groups
    .map(({ packs, recipients }) => ({ recipients, packs: packs.filter((pack) => pack.label) }))
    .filter(({ packs }) => packs.length > 0);
  const missing = labelling.filter(({ packs }) => !packs.some((pack) => carriesLabel(pack, view.headers)));
  return missing.length === 0 ? PASS : missing.flatMap((group) => judge(view, { group, labelling, ...why }));
}

interface Case extends Why {
  readonly group: Group;
  /** Everybody in the mail whose law asks for a label. */
  readonly labelling: readonly Group[];
}

function judge(view: HeaderView, { group, labelling, addLabel, ...why }: Case): Finding[] {
  const { recipients, packs } = group;
  const common = commonLabels(labelling);
  const demands = demandsOf(packs);
  const adding = demands.filter(({ requirement }) => {
    const asks = wanted(requirement, view.session);
    return asks === "label" || (addLabel && asks !== "note");
  });
  const added = adding.length > 0 ? labelEdit(view, labelling, common) : undefined;
  const left = added ? demands.filter((demand) => !adding.includes(demand)) : demands;
  const findings: Finding[] = [];
  if (added) {
    const about = { packs: adding.map(({ pack }) => pack), recipients, edits: [added.edit] };
    findings.push(note("the label was added", { ...about, evidence: { ...why.evidence, label: added.text } }));
  }
  if (left.length === 0 || (added && !left.some(({ requirement }) => wanted(requirement, view.session) !== "note"))) {
    return findings;
  }
  const mixed = common.length === 0;
  const labels = mixed ? splitOf(labelling) : labelling.length > 1 ? inAscii(common) : labelsOf(packs);
  const detail = [labels, why.more].filter(Boolean).join("; ");
  return [
    ...findings,
    ...consequences(view.session, left, {
      reply: mixed ? "label-mixed" : "label-missing",
      reason: why.reason,
      detail,
      recipients,
      evidence: { ...why.evidence, ...(mixed && { laws: labelling.length }) },
    }),
  ];
}

const demandsOf = (packs: readonly Pack[]): Demand[] =>
  packs.flatMap((pack) => (pack.label ? [{ pack, requirement: pack.label }] : []));
