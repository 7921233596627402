import { z } from "zod";
import { Unavailable } from "../../kit/trouble.ts";
import type { BodyView } from "../../mail/views.ts";
import { defineRule, type Finding, hold, note, PASS, reject, skip } from "../define.ts";
import type { Scorers } from "./scorers.ts";

const options = z.strictObject({
  noteFrom: z.number().default(6).describe("score from which it is written down"),
  holdFrom: z.number().default(15).describe("score from which the mail is held; 0: never"),
  rejectFrom: z
    .number()
    .min(0)
    .default(0)
    .describe("score from which it is refused; 0: never. Suspected spam should be restorable (Circular 12/2008 V.1.2)"),
  whenAway: z
    .enum(["note", "defer"])
    .default("note")
    .describe("the scorer does not answer: note: the mail goes on without its score; defer: it waits at its sender"),
});
type Options = z.infer<typeof options>;

export const spamScore = defineRule({
  id: "content/spam-score",
  title: "What rspamd takes for spam is held",
  why: "Where scorers.rspamd is configured, rspamd is asked for each mail and its score decides. Without it this rule looks at\nnothing. When rspamd is away, whenAway says what follows; a mail larger than scorers.rspamd.bytesMax is not asked about.",
  sources: [{ cite: "Circular 12/2008/TT-BTTTT V.1.5", confidence: "doc" }],
  falseAlarms: ["What rspamd takes for spam and is not: teach rspamd, or raise holdFrom"],
  options,
  looks: {
    body(view, { options, scorers }) {
      return scorers.spam ? judge(view, scorers.spam, options) : skip("no scorer is configured");
    },
  },
});

async function judge(view: BodyView, scorer: NonNullable<Scorers["spam"]>, options: Options): Promise<Finding> {
  try {
    const answer = await scorer.score(view);
    if (!answer) return skip("larger than the scorer is given");
    const { score, required, found } = answer;
    const evidence = { score, ...(Number.isFinite(required) && { required }), found: found.join(" ").slice(0, 250) };
    const reaches = (from: number): boolean => from > 0 && score >= from;
    if (reaches(options.rejectFrom)) return reject("spam-score", { evidence });
    if (reaches(options.holdFrom)) return hold("scored as spam", { evidence });
    return reaches(options.noteFrom) ? note("scored near spam", { evidence }) : PASS;
  } catch (error) {
    if (!(error instanceof Unavailable) || options.whenAway === "defer") throw error;
    return note("the scorer is away", { evidence: { trouble: error.dependency } });
  }
}
