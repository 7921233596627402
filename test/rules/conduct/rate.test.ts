import { rate } from "../../../src/rules/conduct/rate.ts";
import { NOW_MS } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const used = { span: "hour", max: 5, taken: 5, freesAtMs: NOW_MS + 60_000 } as const;

testRule(rate, {
  letsThrough: [
    ["a stranger", { conduct: { used } }],
    ["a client within its limits", { client: { ratePerHour: 5 } }],
  ],
  catches: [
    ["a client beyond them", { client: { ratePerHour: 5 }, conduct: { used } }, "mail: defer client-rate"],
    ["a bounce of it", { from: "", client: { ratePerHour: 5 }, conduct: { used } }, "mail: defer client-rate"],
  ],
});
