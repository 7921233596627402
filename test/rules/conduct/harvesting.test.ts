import { harvesting } from "../../../src/rules/conduct/harvesting.ts";
import { testRule } from "../../helpers/rule-tester.ts";

testRule(harvesting, {
  letsThrough: [
    ["somebody who makes no mistakes", {}],
    ["somebody below the threshold", { conduct: { suspicion: { score: 0.99, unknown: 9 } } }],
  ],
  catches: [
    [
      "a suspect: written down, and answered later",
      { conduct: { suspicion: { score: 1, unknown: 10 } } },
      "rcpt: note many recipients that do not exist",
    ],
    [
      "one that goes on: turned away before the next hop is asked",
      { conduct: { suspicion: { score: 2, unknown: 20 } } },
      "rcpt: defer harvesting",
    ],
    [
      "a client that does the same",
      { client: {}, conduct: { suspicion: { score: 2, unknown: 20 } } },
      "rcpt: defer harvesting",
    ],
    [
      "one that the operator's own threshold turns away",
      { options: { turnAwayAt: 1 }, conduct: { suspicion: { score: 1, unknown: 10 } } },
      "rcpt: defer harvesting",
    ],
  ],
});
