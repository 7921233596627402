import { z } from "zod";
import type { DetectedConsequence, Pack } from "../../law/pack.ts";
import { mayRefuse } from "../../law/source.ts";
import { type BodyView, isOwn } from "../../mail/views.ts";
import type { Detected } from "../../signals/detector.ts";
import { type Context, defineRule, type Finding, hold, note, PASS, skip } from "../define.ts";
import { groupByPacks } from "../groups.ts";
import { asksForSomething, detectedEvidence, packsAsking } from "./detection.ts";

const consequence = z.enum(["apply", "hold", "note", "off"]);
const byPack = (whose: string) =>
  z
    .record(z.string(), consequence)
    .default({})
    .describe(`what follows for ${whose}, instead of what a pack itself says: pack: apply, hold, note or off`);
const share = z.number().min(0).max(1);

const options = z.strictObject({
  noteFrom: share.default(0.65).describe("score from which undeclared mail is written down, 0 to 1"),
  actFrom: share
    .default(0.8)
    .describe(
      "score from which more follows: from clients the label and consent rules apply, from strangers it is held",
    ),
  fromClients: byPack("mail of our own clients"),
  fromStrangers: byPack("mail from the world"),
  copiesMin: z.int().min(2).max(1_000_000).default(100).describe("recipients of the same text from which it is bulk"),
  windowHours: z.number().positive().max(720).default(24).describe("within how many hours they are counted"),
  reportersMin: z
    .int()
    .min(1)
    .max(1_000)
    .default(3)
    .describe("recipients who must have reported a text before the detector learns it"),
});
export type DetectOptions = z.infer<typeof options>;

export const detect = defineRule({
  id: "advertising/detect",
  title: "Mail that reads like advertising and does not say so",
  why: "Label and consent bind only advertising, and who spams does not declare it. The words of undeclared mail in Chinese,\nVietnamese and English, its copies and what recipients reported give a score; pack and options say what follows. It rejects\nnothing itself. When the store is away the words alone are judged.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(3)", confidence: "C5" },
    { cite: "Circular 12/2008/TT-BTTTT V.1.5", confidence: "doc" },
  ],
  falseAlarms: [
    "Newsletters and offers that the recipient asked for: record the consent, or watch the rule for that client",
    "A reply to an advertisement, or one passed on, that quotes it whole; a mailing list among relayNetworks: fromClients note",
    "Ordinary business mail about prices and orders: teach it with consentry learn not FILE",
  ],
  options,
  looks: {
    body(view, context) {
      const asking = packsAsking(view, context, (follows) => follows !== "off");
      if (asking.length === 0 && !context.detection.always) return NOT_ASKED;
      return context.detection.detect(view).then((detected) => judge(view, { context, detected, asking }));
    },
  },
});

const NOT_ASKED = skip("declared, or nobody asks");

interface Judging {
  readonly context: Context<DetectOptions>;
  readonly detected: Detected;
  readonly asking: readonly Pack[];
}

function judge(view: BodyView, { context, detected, asking }: Judging): readonly Finding[] {
  const { options, detection } = context;
  const advertises = detected.score >= options.noteFrom;
  const bulk = detected.copies.recipients >= options.copiesMin;
  const spam = detected.unwanted >= options.noteFrom;
  const tells = advertises || bulk || spam;
  if (!tells && !detection.always) return [PASS];
  const evidence = detectedEvidence(detected);
  if (asking.length === 0) return [{ ...NOT_ASKED, evidence }];
  if (!tells) return [{ ...PASS, evidence }];
  if (!advertises) return [note(spam ? "reads like spam" : "the same text to many", { evidence })];
  const own = isOwn(view.session);
  const client = view.session.client?.id;
  const acts = detected.score >= options.actFrom;
  const findings: Finding[] = [];
  for (const group of groupByPacks(view, context)) {
    const packs = group.packs.filter((pack) => asking.includes(pack));
    const holding = acts ? packs.filter((pack) => holds(pack, detection.consequence(pack, own, client))) : [];
    const about = { recipients: group.recipients, evidence };
    if (holding.length > 0) findings.push(hold("reads like undeclared advertising", { ...about, packs: holding }));
    else if (packs.length > 0) findings.push(note("reads like undeclared advertising", { ...about, packs }));
  }
  return findings;
}

/** A pack whose every requirement is only general knowledge holds nobody's mail. */
const holds = (pack: Pack, consequence: DetectedConsequence): boolean =>
  consequence === "hold" &&
  asksForSomething(pack) &&
  [pack.label, pack.consent].some((requirement) => requirement !== undefined && mayRefuse(requirement.source));
