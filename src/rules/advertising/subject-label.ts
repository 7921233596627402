import { z } from "zod";
import type { Pack } from "../../law/pack.ts";
import type { HeaderView } from "../../mail/views.ts";
import { carriesLabel, declaredAdvertising } from "../../signals/declared.ts";
import { consequences, type Demand, wanted } from "../consequence.ts";
import { defineRule, type Finding, note, PASS, skip } from "../define.ts";
import { type Group, groupByPacks } from "../groups.ts";
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
  why: "A declared advertisement needs the label of a law that protects the recipient, first in the Subject as a reader sees\nit. Where several packs protect him, the label of any of them will do: two labels cannot both be first. Recipients whose\nlaws share no label need mails of their own, and the reply says which.",
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
      const labelling = groups
        .map(({ packs, recipients }) => ({ recipients, packs: packs.filter((pack) => pack.label) }))
        .filter(({ packs }) => packs.length > 0);
      const missing = labelling.filter(({ packs }) => !packs.some((pack) => carriesLabel(pack, view.headers)));
      if (missing.length === 0) return PASS;
      return missing.flatMap((group) => judge(view, { group, labelling, declared, ...context.options }));
    },
  },
});

interface Case {
  readonly group: Group;
  /** Everybody in the mail whose law asks for a label: it has one Subject for all. */
  readonly labelling: readonly Group[];
  readonly declared: string;
  readonly addLabel: boolean;
}

function judge(view: HeaderView, { group, labelling, declared, addLabel }: Case): Finding[] {
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
    findings.push(note("the label was added", { ...about, evidence: { declared, label: added.text } }));
  }
  if (left.length === 0 || (added && !left.some(({ requirement }) => wanted(requirement, view.session) !== "note"))) {
    return findings;
  }
  const mixed = common.length === 0;
  const detail = mixed ? splitOf(labelling) : labelling.length > 1 ? inAscii(common) : labelsOf(packs);
  return [
    ...findings,
    ...consequences(view.session, left, {
      reply: mixed ? "label-mixed" : "label-missing",
      reason: "declared as advertising, without a label",
      detail,
      recipients,
      evidence: { declared, ...(mixed && { laws: labelling.length }) },
    }),
  ];
}

const demandsOf = (packs: readonly Pack[]): Demand[] =>
  packs.flatMap((pack) => (pack.label ? [{ pack, requirement: pack.label }] : []));
