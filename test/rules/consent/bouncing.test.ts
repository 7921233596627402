import { bouncing } from "../../../src/rules/consent/bouncing.ts";
import { type Described, NOW_MS } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const came = (count: number): Described => ({
  client: { kind: "advertiser" },
  consents: ["shop ann@example.com"],
  agreed: { bounces: { count, lastMs: NOW_MS } },
});
const caught = "rcpt: reject recipient-bounces";

testRule(bouncing, {
  letsThrough: [
    ["a stranger", {}],
    ["a client that does not advertise", { ...came(9), client: {} }],
    ["an address of which nothing is recorded", { client: { kind: "advertiser" } }],
    ["an address from which two came back", came(2)],
    [
      "from which more came back than by default, where the operator allows it",
      { ...came(9), options: { bouncesMax: 10 } },
    ],
  ],
  catches: [
    ["an address from which three came back", came(3), caught],
    ["the first time, where the operator says so", { ...came(1), options: { bouncesMax: 1 } }, caught],
  ],
});
