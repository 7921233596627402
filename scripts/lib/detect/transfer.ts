/** Trained on some sets, tested on another one: what an operator gets whose mail is none of these. */
import { answersTo, modelOf, type Ready, scoresOf } from "./measure.ts";
import { bestF1, figuresAt } from "./metrics.ts";
import { membersOf, TASKS, type Task } from "./tasks.ts";

export interface Transfer {
  readonly from: readonly string[];
  readonly to: Task;
  readonly what: string;
}

export interface Transferred {
  readonly f1: number;
  readonly bestF1: number;
  readonly falsePositives: number;
}

const task = (name: string): Task => {
  const found = TASKS.find((each) => each.name === name);
  if (!found) throw new Error(`no task ${name}`);
  return found;
};

/** `own-…` are the texts of our own, which every model is taught. */
const OWN = ["own-zh", "own-vi", "own-en"];

export const TRANSFERS: readonly Transfer[] = [
  { what: "Chinese, 2005 to 2019-2026", from: ["zh-ccert"], to: task("zh-lists-modern (unwanted)") },
  { what: "Chinese, 2019-2026 to 2005", from: ["zh-lists-modern"], to: task("zh-ccert") },
  { what: "Chinese, SMS to mail of 2005", from: ["zh-sms"], to: task("zh-ccert") },
  { what: "English, one set of 2002 to 2002-2010", from: ["en-spamassassin"], to: task("en-csdmc2010") },
  { what: "English, 2002-2010 to 2002", from: ["en-csdmc2010"], to: task("en-spamassassin") },
  {
    what: "English, 2002-2010 to 2019-2026",
    from: ["en-spamassassin", "en-csdmc2010"],
    to: task("en-lists-modern (unwanted)"),
  },
  { what: "English, 2019-2026 to 2002", from: ["en-lists-modern", "en-phishing-pot"], to: task("en-spamassassin") },
  { what: "Vietnamese, SMS to comments", from: ["vi-sms-qc"], to: task("vi-social-spam") },
  {
    what: "all other sets to modern Chinese mail",
    from: allBut("zh-lists-modern"),
    to: task("zh-lists-modern (unwanted)"),
  },
  { what: "all other sets to Chinese mail of 2005", from: allBut("zh-ccert"), to: task("zh-ccert") },
  {
    what: "all other sets to modern English mail",
    from: allBut("en-lists-modern"),
    to: task("en-lists-modern (unwanted)"),
  },
  { what: "all other sets to English mail of 2002", from: allBut("en-spamassassin"), to: task("en-spamassassin") },
  { what: "all other sets to Vietnamese SMS", from: allBut("vi-sms-qc"), to: task("vi-sms-qc") },
];

function allBut(set: string): string[] {
  const sets =
    "zh-lists-modern zh-ccert zh-sms en-spamassassin en-csdmc2010 en-lists-modern en-phishing-pot vi-sms-qc vi-social-spam vi-mail newsletters ja-confusion";
  return sets.split(" ").filter((each) => each !== set);
}

/** @param threshold from which probability the answer is yes */
export function transfer(
  { from, to }: Transfer,
  samples: readonly Ready[],
  threshold: number,
): Transferred | undefined {
  const taught = samples.filter(({ set }) => from.includes(set) || OWN.includes(set));
  if (!from.every((set) => taught.some((sample) => sample.set === set)) || membersOf(to, samples).length === 0)
    return undefined;
  const model = modelOf(taught);
  const scores = samples.map((sample) =>
    sample.set === to.set ? scoresOf(model, sample) : { advertising: 0, unwanted: 0 },
  );
  const { answers } = answersTo(to, samples, scores);
  const { f1, falsePositives } = figuresAt(answers, threshold);
  return { f1, falsePositives, bestF1: bestF1(answers).f1 };
}
