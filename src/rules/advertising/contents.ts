import { z } from "zod";
import type { Pack } from "../../law/pack.ts";
import { startOfContent } from "../../mail/content-start.ts";
import { readText, TEXT_LIMITS } from "../../mail/text.ts";
import type { BodyView } from "../../mail/views.ts";
import { type ContentItem, hasContent, type Letter } from "../../signals/contents.ts";
import { declaredAdvertising } from "../../signals/declared.ts";
import { consequences } from "../consequence.ts";
import { type Context, defineRule, type Finding, PASS, type Said, skip } from "../define.ts";
import { type Group, groupByPacks, packsOf } from "../groups.ts";

export const contents = defineRule({
  id: "advertising/contents",
  title: "An advertisement says who sends it and where to refuse",
  why: "Packs name what an advertisement must contain: a way to refuse, the advertiser's name, address, telephone. It is looked\nfor in the text a reader sees. That something is there does not prove it true, so the packs that come along only note.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 14", confidence: "C3" },
    { cite: "Decree 90/2008/ND-CP art. 10", confidence: "C1" },
  ],
  falseAlarms: [
    "Contacts that stand in a picture only",
    "Ways to refuse in words this relay does not know: English, Chinese, Vietnamese, Japanese and Korean are known",
  ],
  options: z.strictObject({}),
  looks: {
    body(view, context) {
      const packs = packsOf(view, context).filter((pack) => pack.contents.length > 0);
      if (packs.length === 0) return skip("no law asks for contents");
      if (!declaredAdvertising(view, packs)) return skip("not declared as advertising");
      return judge(view, context);
    },
  },
});

async function judge(view: BodyView, context: Context<unknown>): Promise<Said> {
  const text = readText(await startOfContent(view.content, TEXT_LIMITS.mailBytesMax));
  const letter = { headers: view.headers, text };
  const groups = groupByPacks(view, context);
  const findings = groups.flatMap((group) =>
    missingIn(group, letter, (demands, missed) => consequences(view.session, demands, missed)),
  );
  return findings.length > 0 ? findings : PASS;
}

type Conclude = (...args: Parameters<typeof consequences> extends [unknown, ...infer Rest] ? Rest : never) => Finding[];

/** One finding for each consequence, naming every item that is not there. */
function missingIn({ packs, recipients }: Group, letter: Letter, conclude: Conclude): Finding[] {
  const demands = packs.flatMap((pack) => missing(pack, letter));
  if (demands.length === 0) return [];
  const items = [...new Set(demands.map(({ requirement }) => requirement.item))].join(", ");
  return conclude(demands, {
    reply: "contents-missing",
    reason: `an advertisement without: ${items}`,
    detail: items,
    recipients,
    evidence: { missing: items },
  });
}

function missing(pack: Pack, letter: Letter) {
  const absent = pack.contents.filter(
    ({ item, languages }) => !hasContent(item as ContentItem, letter, languages ?? []),
  );
  return absent.map((requirement) => ({ pack, requirement }));
}
