import { suspended } from "../../../src/rules/relay/suspended.ts";
import { NOW_MS } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const until = (untilMs: number) => ({
  suspended: { reason: "complaints", fromMs: NOW_MS - 1000, untilMs, by: "ann" },
});
const caught = "mail: reject client-suspended";

testRule(suspended, {
  letsThrough: [
    ["a stranger", {}],
    ["a client nobody suspended", { client: {} }],
    ["a client whose suspension has just ended", { client: until(NOW_MS) }],
  ],
  catches: [
    ["a client for as long as it lasts", { client: until(NOW_MS + 1) }, caught],
    ["its bounces, too", { client: until(NOW_MS + 1), from: "" }, caught],
    ["from its own network, too", { client: { ...until(NOW_MS + 1), networks: ["203.0.113.0/24"] } }, caught],
  ],
});
