import { bulkAlignment } from "../../../src/rules/envelope/bulk-alignment.ts";
import { type Described, packOf } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const strangers: Described = {
  packs: [packOf("mbp-2024")],
  from: "news@shop.example",
  header: "From: news@shop.example\nDate: Sun, 22 Nov 2026 07:30:00 +0000\nSubject: sale",
};
const bulk: Described = { ...strangers, client: { kind: "advertiser" } };

const signature = (domain: string) =>
  `DKIM-Signature: v=1; a=rsa-sha256; d=${domain}; s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA`;
const egress = [{ network: "192.0.2.25", use: "egress", authority: "-", registeredOn: "2020-01-01" }] as const;
const spf: Described = {
  ...bulk,
  client: { kind: "advertiser", addresses: egress },
  dns: ["shop.example TXT v=spf1 ip4:192.0.2.25 -all"],
};
const caught = "header: reject bulk-unproved";

testRule(bulkAlignment, {
  letsThrough: [
    ["a stranger's", strangers],
    ["under laws that do not ask", { ...bulk, packs: [packOf("cn-2006")] }],
    ["mail that is no bulk", { ...bulk, client: { kind: "isp-customer" } }],
    ["what leaves with a signature of ours", { ...bulk, signs: ["shop.example"] }],
    ["what bears a signature of the domain", { ...bulk, header: `${bulk.header}\n${signature("shop.example")}` }],
    ["or of its organisation", { ...bulk, header: `${bulk.header}\n${signature("mail.shop.example")}` }],
    ["what SPF lets its egress address send", spf],
    [
      "what leaves from a return address of the same organisation",
      { ...spf, returnsTo: "b.shop.example", dns: ["b.shop.example TXT v=spf1 ip4:192.0.2.25 -all"] },
    ],
  ],
  catches: [
    ["an advertiser's mail that nothing proves", bulk, caught],
    [
      "another client's mail that says it is bulk",
      { ...bulk, client: {}, header: `${bulk.header}\nPrecedence: bulk` },
      caught,
    ],
    ["a signature of somebody else", { ...bulk, header: `${bulk.header}\n${signature("service.example")}` }, caught],
    ["a key of another domain", { ...bulk, signs: ["other.example"] }, caught],
    ["an address that SPF does not let send", { ...spf, dns: ["shop.example TXT v=spf1 -all"] }, caught],
    [
      "SPF of a MAIL FROM of somebody else",
      { ...spf, from: "bounce@service.example", dns: ["service.example TXT v=spf1 +all"] },
      caught,
    ],
    ["SPF of a sender it does not leave with", { ...spf, returnsTo: "bounce.example.com" }, caught],
    ["SPF where no egress address is registered", { ...spf, client: { kind: "advertiser" } }, caught],
  ],
});
