import { expect, it } from "vitest";
import { Unavailable } from "../../../src/kit/trouble.ts";
import type { Scorers } from "../../../src/rules/content/scorers.ts";
import { spamScore } from "../../../src/rules/content/spam-score.ts";
import { contextOf, viewsOf } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";
import { pipelineOf, settingOf } from "../../helpers/settings.ts";

const scored = (score: number): Scorers => ({
  spam: { score: async () => ({ score, required: 15, found: ["BAYES_SPAM", "RBL"] }) },
});
const away: Scorers = {
  spam: { score: () => Promise.reject(new Unavailable("scorer", "rspamd: no answer in 100 ms")) },
};
const tooLarge: Scorers = { spam: { score: async () => undefined } };

testRule(spamScore, {
  letsThrough: [
    ["everything where no scorer is configured", {}],
    ["a low score", { scorers: scored(5.9) }],
    ["a score below nothing", { scorers: scored(-20), options: { noteFrom: 0, holdFrom: 0 } }],
    ["a mail that is too large to be asked about", { scorers: tooLarge }],
  ],
  catches: [
    ["a middling score", { scorers: scored(6) }, "body: note scored near spam"],
    ["a high score", { scorers: scored(15) }, "body: hold held"],
    [
      "a high score where nothing is held",
      { scorers: scored(99), options: { holdFrom: 0 } },
      "body: note scored near spam",
    ],
    [
      "a score from which the operator refuses",
      { scorers: scored(20), options: { rejectFrom: 20 } },
      "body: reject spam-score",
    ],
    ["any mail, written down, when the scorer is away", { scorers: away }, "body: note the scorer is away"],
  ],
});

it("lets the mail wait at its sender when the scorer is away and the operator wants that", async () => {
  const { pipeline, faults } = pipelineOf(
    [settingOf(spamScore, { options: spamScore.options.parse({ whenAway: "defer" }) })],
    {
      context: contextOf({ scorers: away }),
    },
  );
  const verdict = await pipeline.run("body", viewsOf({}).body);
  expect(verdict.for()).toMatchObject({
    kind: "defer",
    by: { finding: { reply: "rule-trouble", evidence: { trouble: "scorer" } } },
  });
  expect(faults).toEqual([]);
});
