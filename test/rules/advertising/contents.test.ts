import { contents } from "../../../src/rules/advertising/contents.ts";
import type { Described } from "../../helpers/described.ts";
import { packOf } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const shop = { client: { kind: "advertiser" } } as const;
const whole = "Shoes of Sender\nsender.example, ring +86 10 1234 5678\nunsubscribe: no@sender.example\n";
const cn = packOf("cn-2006");
const strict = {
  ...cn,
  contents: cn.contents.map((item) => ({ ...item, onMissing: { clients: "reject", strangers: "hold" } as const })),
};
const ad = (body: string, more: Described = {}): Described => ({ ...shop, packs: [strict], body, ...more });

testRule(contents, {
  letsThrough: [
    ["an ordinary mail", { body: "hello", packs: [strict] }],
    ["an advertisement with all of it", ad(whole, { header: "From: Sender <news@sender.example>" })],
    ["an advertisement where no law protects the recipient", ad("buy", { packs: [] })],
  ],
  catches: [
    ["one without a way to refuse, where a pack refuses", ad("buy"), "body: reject contents-missing"],
    [
      "the same of a stranger, where a pack holds",
      { packs: [strict], body: "buy", with: "X-Ad: yes" },
      "body: hold held",
    ],
    [
      "the same under the packs that come along: noted",
      { ...shop, body: "buy", packs: [cn] },
      "body: note an advertisement without: refusal-contact, sender-email, advertiser-name",
    ],
  ],
});
