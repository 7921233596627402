import { z } from "zod";
import type { Pack } from "../../law/pack.ts";
import type { HeaderView } from "../../mail/views.ts";
import { carriesLabel, declaredAdvertising } from "../../signals/declared.ts";
import { consequences } from "../consequence.ts";
import { type Context, defineRule, type Evidence, type Finding, PASS, type Said, skip } from "../define.ts";
import { groupByPacks, packsOf } from "../groups.ts";
import { detectedEvidence, judgedAsDeclared, onlyPacks, READS_LIKE_IT } from "./detection.ts";

export const subjectLabel = defineRule({
  id: "advertising/subject-label",
  title: "An advertisement says so at the front of its Subject",
  why: "An advertisement that declares itself, or a client's that reads like one (advertising/detect), needs the label of a law\nthat protects the recipient, first in the Subject as a reader sees it. Where several packs protect him, the label of any of them will do: two labels cannot both be first.",
  sources: [{ cite: "Order 38 (CN 2006) art. 13(3)", confidence: "C5" }],
  falseAlarms: [
    "A client registered as advertiser that also sends ordinary mail: give that its own login",
    "A newsletter that is no advertisement, sent with List-Unsubscribe and Precedence: bulk",
  ],
  options: z.strictObject({}),
  looks: {
    header(view, { packsFor }) {
      const declared = declaredAdvertising(view, packsOf(view.recipients, packsFor));
      if (!declared) return skip("not declared as advertising");
      return judge(view, packsFor, { reason: "declared as advertising, without a label", evidence: { declared } });
    },
    body(view, context) {
      const asked = judgedAsDeclared(view, context);
      if (!asked) return NOT_ASKED;
      return asked.then((judged) => {
        if (!judged) return skip("does not read like advertising");
        const evidence = detectedEvidence(judged.detected);
        const why = { reason: "reads like advertising, without a label", evidence, more: READS_LIKE_IT };
        return judge(view, onlyPacks(judged.packs, context.packsFor), why);
      });
    },
  },
});

const NOT_ASKED = skip("judged with the headers, or nobody asks");

function judge(
  view: HeaderView,
  packsFor: Context<unknown>["packsFor"],
  why: { readonly reason: string; readonly evidence: Evidence; readonly more?: string },
): Said {
  const findings: Finding[] = [];
  for (const { packs, recipients } of groupByPacks(view.recipients, packsFor)) {
    const labelling = packs.filter((pack) => pack.label);
    if (labelling.length === 0 || labelling.some((pack) => carriesLabel(pack, view.headers))) continue;
    const detail = [labelsOf(labelling), why.more].filter(Boolean).join("; ");
    const missed = { reply: "label-missing", reason: why.reason, evidence: why.evidence, detail, recipients } as const;
    findings.push(...consequences(view.session, demandsOf(labelling), missed));
  }
  return findings.length > 0 ? findings : PASS;
}

const demandsOf = (packs: readonly Pack[]) =>
  packs.flatMap((pack) => (pack.label ? [{ pack, requirement: pack.label }] : []));

/** ASCII only: a reply cannot say the Chinese label, so its code points are named; CODE stands for a management code. */
const labelsOf = (packs: readonly Pack[]): string =>
  packs
    .flatMap((pack) => pack.label?.accept ?? [])
    .map((label) =>
      label.replace("{code}", "CODE").replace(/[^\x20-\x7e]+/g, (text) => `U+${[...text].map(hex).join(" U+")}`),
    )
    .join(" or ");

const hex = (char: string): string => (char.codePointAt(0) ?? 0).toString(16).toUpperCase();
