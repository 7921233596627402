import { blocked } from "../../../src/rules/conduct/blocked.ts";
import type { Block } from "../../../src/signals/blocks.ts";
import { NOW_MS } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const block = (more: Partial<Block> = {}): Block => ({
  subject: "203.0.113.9/32",
  action: "refuse",
  reason: "harvesting",
  article: "Order 38 (CN 2006) art. 12(2)",
  fromMs: NOW_MS - 1_000,
  untilMs: NOW_MS + 1_000,
  by: "consentry",
  times: 1,
  ...more,
});

testRule(blocked, {
  letsThrough: [
    ["somebody nobody has blocked", {}],
    ["somebody whose time is over", { conduct: { block: block({ untilMs: NOW_MS }) } }],
    ["somebody who was let off", { conduct: { block: block({ liftedAtMs: NOW_MS - 1 }) } }],
  ],
  catches: [
    ["a harvester", { conduct: { block: block() } }, "mail: reject blocked"],
    ["a bounce from it", { from: "", conduct: { block: block() } }, "mail: reject blocked"],
    [
      "a login on hold",
      { client: {}, login: "shop", conduct: { block: block({ subject: "client:shop", action: "hold" }) } },
      "mail: hold login-held",
    ],
  ],
});
