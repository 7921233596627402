import type { Campaign } from "../../../src/mail/client.ts";
import { campaign } from "../../../src/rules/conduct/campaign.ts";
import { type Described, NOW_MS } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const winter: Campaign = {
  name: "winter",
  senders: ["news@shop.example", "@mail.shop.example"],
  helo: ["mx.shop.example"],
  networks: ["203.0.113.0/24"],
  recipientsMax: 100,
  perMinuteMax: 10,
  fromMs: NOW_MS - 1000,
  untilMs: NOW_MS + 1000,
};
const fitting: Described = {
  client: { kind: "advertiser", campaigns: [winter] },
  from: "news@shop.example",
  helo: "mx.shop.example",
  ip: "203.0.113.9",
};
const withOne = (more: Partial<Campaign>): Described => ({
  ...fitting,
  client: { campaigns: [{ ...winter, ...more }] },
});
const undeclared = "mail: reject campaign-undeclared";

testRule(campaign, {
  letsThrough: [
    ["a stranger", {}],
    ["a client that declared nothing", { client: {} }],
    ["mail as declared", fitting],
    ["another address of a declared domain", { ...fitting, from: "any@mail.shop.example" }],
    ["a bounce of it", { ...fitting, from: "" }],
    [
      "one of several campaigns",
      { ...fitting, client: { campaigns: [{ ...winter, name: "x", senders: ["@y.example"] }, winter] } },
    ],
    [
      "any HELO and address where none was declared",
      { ...withOne({ helo: [], networks: [] }), helo: "pc", ip: "2001:db8::1" },
    ],
  ],
  catches: [
    ["before it begins", withOne({ fromMs: NOW_MS + 1 }), undeclared],
    ["after it has ended", withOne({ untilMs: NOW_MS }), undeclared],
    ["another sender", { ...fitting, from: "sale@shop.example" }, undeclared],
    ["a sender of a subdomain", { ...fitting, from: "a@x.mail.shop.example" }, undeclared],
    ["another HELO", { ...fitting, helo: "pc.shop.example" }, undeclared],
    ["another address", { ...fitting, ip: "198.51.100.1" }, undeclared],
    [
      "more recipients than declared",
      { ...fitting, conduct: { campaign: { full: "number", keys: [] } } },
      "header: reject campaign-number",
    ],
    [
      "more in a minute than declared",
      { ...fitting, conduct: { campaign: { full: "rate", keys: [] } } },
      "header: defer campaign-rate",
    ],
  ],
});
