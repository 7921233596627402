import { expect, it } from "vitest";
import { Unavailable } from "../../../src/kit/trouble.ts";
import { recordedConsent } from "../../../src/rules/consent/recorded-consent.ts";
import { contextOf, type Described, ORDINARY, viewsOf } from "../../helpers/described.ts";
import { tellings, testRule } from "../../helpers/rule-tester.ts";
import { smallPack } from "../../helpers/small-packs.ts";

const advertiser = { kind: "advertiser" } as const;
const to = ["ann@example.com"];
const ad: Described = { client: advertiser, login: "shop", to };
const declared: Described = { client: {}, to, with: "X-Ad: yes" };
const missing = (stage: string) => `${stage}: reject consent-missing`;
const withdrawn = (stage: string) => `${stage}: reject consent-withdrawn`;
const optOut = [smallPack({ consent: "opt-out" })];

testRule(recordedConsent, {
  letsThrough: [
    ["an ordinary mail of a stranger", {}],
    ["an ordinary mail of a client", { client: {}, to: ["x@other.example"] }],
    ["an advertiser to one who agreed", { ...ad, consents: ["shop ann@example.com"] }],
    ["the recipient written in capitals", { ...ad, to: ["ANN@Example.COM"], consents: ["shop ann@example.com"] }],
    ["a declared advertisement to one who agreed", { ...declared, consents: ["shop ann@example.com"] }],
    [
      "a host of relayNetworks, with consent for the author's domain",
      { relayNetwork: true, to, with: "X-Ad: yes", consents: ["sender.example ann@example.com"] },
    ],
    ["an advertiser to one about whom nothing is recorded, where the law is opt-out", { ...ad, packs: optOut }],
    ["an advertiser where no law protects the recipient", { ...ad, packs: [] }],
    ["an advertiser under a law without a word on consent", { ...ad, packs: [smallPack({ label: "XAD" })] }],
    [
      "a labelled mail to one who agreed",
      {
        client: {},
        to,
        header: `${ORDINARY.from}\n${ORDINARY.date}\nSubject: AD x`,
        consents: ["shop ann@example.com"],
      },
    ],
    ["a declared advertisement that names nobody", { to, header: `${ORDINARY.date}\nX-Ad: yes` }],
  ],
  catches: [
    ["an advertiser without consent", ad, missing("rcpt")],
    ["an advertising service", { ...ad, client: { kind: "ad-service" } }, missing("rcpt")],
    ["consent given to another", { ...ad, consents: ["other ann@example.com"] }, missing("rcpt")],
    ["consent of another", { ...ad, consents: ["shop ben@example.com"] }, missing("rcpt")],
    [
      "consent of the plain address for a plus address",
      { ...ad, to: ["ann+x@example.com"], consents: ["shop ann@example.com"] },
      missing("rcpt"),
    ],
    ["consent withdrawn", { ...ad, consents: ["shop ann@example.com withdrawn"] }, withdrawn("rcpt")],
    [
      "consent withdrawn under an opt-out law",
      { ...ad, packs: optOut, consents: ["shop ann@example.com withdrawn"] },
      withdrawn("rcpt"),
    ],
    [
      "the second of two recipients",
      { ...ad, to: [...to, "ben@example.com"], consents: ["shop ann@example.com"] },
      missing("rcpt"),
    ],
    ["a declared advertisement without consent", declared, missing("header")],
    [
      "a declared advertisement after a refusal",
      { ...declared, consents: ["shop ann@example.com withdrawn"] },
      withdrawn("header"),
    ],
    [
      "a label in the Subject of a client that is no advertiser",
      { client: {}, to, header: `${ORDINARY.from}\n${ORDINARY.date}\nSubject: AD x` },
      missing("header"),
    ],
    ["a host of relayNetworks without consent", { relayNetwork: true, to, with: "X-Ad: yes" }, missing("header")],
    ["a stranger's advertisement", { to, with: "X-Ad: yes" }, "header: note no consent recorded"],
    [
      "a stranger's advertisement after a refusal of his domain",
      { to, with: "X-Ad: yes", consents: ["sender.example ann@example.com withdrawn"] },
      "header: note consent withdrawn",
    ],
    [
      "a law that holds",
      { ...ad, packs: [smallPack({ consent: "opt-in", consentMissing: "hold" })] },
      "rcpt: hold held",
    ],
    [
      "a law that nobody has confirmed",
      { ...ad, packs: [smallPack({ consent: "opt-in", confidence: "GK" })] },
      "rcpt: note no consent recorded",
    ],
  ],
});

it("names the recipients concerned and nobody else", async () => {
  const mail: Described = {
    ...declared,
    to: ["ann@example.com", "ben@example.com", "cleo@example.com"],
    consents: ["shop ann@example.com", "shop cleo@example.com withdrawn"],
  };
  const header = (await tellings(recordedConsent, mail)).filter(({ stage }) => stage === "header");
  const found = header.filter(({ finding }) => finding.kind !== "pass");
  const named = found.map(({ finding }) => [
    "reply" in finding && finding.reply,
    finding.recipients?.map(({ address }) => address.key),
  ]);
  expect(named).toEqual([
    ["consent-missing", ["ben@example.com"]],
    ["consent-withdrawn", ["cleo@example.com"]],
  ]);
});

it("cites the law that protects the recipient", async () => {
  const [telling] = await tellings(recordedConsent, ad);
  expect(telling?.finding).toMatchObject({
    source: { cite: "Order 38 (CN 2006) art. 13(2)" },
    packs: [{ id: "cn-2006" }, { id: "vn-2008" }],
    evidence: { advertiser: "shop", recipients: 1 },
  });
});

it("lets the world's failure pass through as such, never as a pass", async () => {
  const away = { standing: () => Promise.reject(new Unavailable("store", "away")) };
  const look = recordedConsent.looks.rcpt;
  const view = viewsOf(ad).rcpt[0];
  if (!look || !view) throw new Error("the rule looks at rcpt");
  const context = { ...contextOf(ad), options: {}, consents: away };
  await expect(async () => look(view, context)).rejects.toThrow(Unavailable);
});
