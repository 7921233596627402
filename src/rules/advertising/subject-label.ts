import { z } from "zod";
import type { Pack } from "../../law/pack.ts";
import { carriesLabel, declaredAdvertising } from "../../signals/declared.ts";
import { consequences } from "../consequence.ts";
import { defineRule, type Finding, PASS, skip } from "../define.ts";
import { groupByPacks } from "../groups.ts";

export const subjectLabel = defineRule({
  id: "advertising/subject-label",
  title: "An advertisement says so at the front of its Subject",
  why: "A declared advertisement needs the label of a law that protects the recipient, first in the Subject as a reader sees\nit. Where several packs protect him, the label of any of them will do: two labels cannot both be first.",
  sources: [{ cite: "Order 38 (CN 2006) art. 13(3)", confidence: "C5" }],
  falseAlarms: [
    "A client registered as advertiser that also sends ordinary mail: give that its own login",
    "A newsletter that is no advertisement, sent with List-Unsubscribe and Precedence: bulk",
  ],
  options: z.strictObject({}),
  looks: {
    header(view, context) {
      const groups = groupByPacks(view, context);
      const declared = declaredAdvertising(
        view,
        groups.flatMap((group) => group.packs),
      );
      if (!declared) return skip("not declared as advertising");
      const findings: Finding[] = [];
      for (const { packs, recipients } of groups) {
        const labelling = packs.filter((pack) => pack.label);
        if (labelling.length === 0 || labelling.some((pack) => carriesLabel(pack, view.headers))) continue;
        findings.push(
          ...consequences(view.session, demandsOf(labelling), {
            reply: "label-missing",
            reason: "declared as advertising, without a label",
            detail: labelsOf(labelling),
            recipients,
            evidence: { declared },
          }),
        );
      }
      return findings.length > 0 ? findings : PASS;
    },
  },
});

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
