import { licence } from "../../../src/rules/relay/licence.ts";
import { packOf } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const provider = { kind: "email-provider" } as const;
const caught = "mail: reject licence-missing";

testRule(licence, {
  letsThrough: [
    ["a stranger", {}],
    ["a client of a kind that offers no mail service", { client: { kind: "advertiser" } }],
    ["a mail service with a number", { client: { ...provider, licence: "B2-20260301" } }],
    [
      "on the first and on the last day of its permit",
      { client: { ...provider, licence: "B2", licensedOn: "2026-11-22", licensedUntil: "2026-11-22" } },
    ],
    ["a mail service under laws that ask for none", { client: provider, packs: [packOf("eu")] }],
  ],
  catches: [
    ["a mail service without a number", { client: provider }, caught],
    ["one whose number is blank", { client: { ...provider, licence: " " } }, caught],
    ["one whose permit begins tomorrow", { client: { ...provider, licence: "B2", licensedOn: "2026-11-23" } }, caught],
    [
      "one whose permit ended yesterday",
      { client: { ...provider, licence: "B2", licensedUntil: "2026-11-21" } },
      caught,
    ],
    ["a kind the operator names", { client: { kind: "ad-service" }, options: { kinds: ["ad-service"] } }, caught],
    ["under the law of 2026, too", { client: provider, packs: [packOf("cn-2026")] }, caught],
  ],
});
