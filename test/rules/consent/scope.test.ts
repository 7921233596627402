import { expect, it } from "vitest";
import { Unavailable } from "../../../src/kit/trouble.ts";
import { scope } from "../../../src/rules/consent/scope.ts";
import { contextOf, type Described, NOW_MS, packOf, viewsOf } from "../../helpers/described.ts";
import { tellings, testRule } from "../../helpers/rule-tester.ts";

const vn2020 = [packOf("vn-2020")];
const header = (subject: string, more = ""): string =>
  `From: a@shop.example\nDate: Sun, 22 Nov 2026 07:30:00 +0000\nSubject: ${subject}${more}`;
const ad: Described = {
  client: { kind: "advertiser" },
  from: "a@shop.example",
  to: ["ann@example.com"],
  header: header("AD sale"),
  consents: ["shop ann@example.com"],
  packs: [packOf("cn-2006")],
};
const DAY = 24 * 3_600_000;
const limited: Described = { ...ad, agreed: { limit: { max: 2, windowMs: DAY } } };
const hours = "09:00-18:00 Asia/Ho_Chi_Minh";

testRule(scope, {
  letsThrough: [
    ["ordinary mail of a client that is no advertiser", { ...ad, client: {}, header: header("hello"), sent: 99 }],
    ["an advertisement to somebody who named no number, kind or hour", { ...ad, sent: 99 }],
    ["the last of an agreed number", { ...limited, sent: 1 }],
    ["the third of a day where the law allows three", { ...ad, packs: vn2020, sent: 2 }],
    [
      "more than the law allows, where more was agreed",
      { ...ad, packs: vn2020, agreed: { limit: { max: 10, windowMs: DAY } }, sent: 5 },
    ],
    [
      "a kind that was agreed to",
      { ...ad, header: header("AD", "\nX-Ad-Topic: Shoes"), agreed: { topics: ["shoes"] } },
    ],
    [
      "two kinds that were agreed to",
      { ...ad, header: header("AD", "\nX-Ad-Topic: shoes; hats"), agreed: { topics: ["hats", "shoes"] } },
    ],
    ["an hour that was agreed to", { ...ad, agreed: { hours } }],
    ["what waits in the queue: beyond its number", { ...limited, sent: 2, options: { wait: true } }],
    [
      "what waits in the queue: at another hour",
      { ...ad, agreed: { hours: "01:00-02:00 UTC" }, options: { wait: true } },
    ],
    [
      "a stranger's advertisement: his laws only note it",
      { ...ad, client: undefined as never, sent: 99, packs: vn2020 },
    ],
    ["a law that knows no consent and no cap", { ...limited, packs: [packOf("us")], sent: 99 }],
    [
      "a refusal: another rule says no",
      { ...limited, consents: ["shop ann@example.com withdrawn"], agreed: { hours: "01:00-02:00 UTC" } },
    ],
  ],
  catches: [
    [
      "another kind than agreed to, though the rest waits in the queue",
      { ...ad, header: header("AD", "\nX-Ad-Topic: cars"), agreed: { topics: ["shoes"] }, options: { wait: true } },
      "header: reject consent-topic",
    ],
    [
      "a number at the door where the law counts similar mails",
      { ...limited, packs: [packOf("vn-2012")], sent: 2, options: { wait: true } },
      "rcpt: reject consent-number",
    ],
    [
      "a number at the door where no queue asks again",
      { ...limited, client: {}, header: header("AD sale", "\nX-Ad: yes"), sent: 2, options: { wait: true } },
      "header: reject consent-number",
    ],
    ["one more than agreed, at RCPT", { ...limited, sent: 2 }, "rcpt: reject consent-number"],
    [
      "one more than agreed, for mail that declares itself",
      { ...limited, client: {}, header: header("sale", "\nX-Ad: yes"), sent: 2 },
      "header: reject consent-number",
    ],
    ["one more than the law allows", { ...ad, packs: vn2020, sent: 3 }, "rcpt: reject cap-reached"],
    ["the sixth of a day in 2008", { ...ad, packs: [packOf("vn-2008")], sent: 5 }, "rcpt: reject cap-reached"],
    ["a second similar one", { ...ad, packs: [packOf("vn-2012")], sent: 1 }, "header: reject cap-reached"],
    [
      "a cap where nobody was asked to agree",
      { ...ad, packs: [packOf("vn-2008")], consents: [], sent: 5 },
      "rcpt: reject cap-reached",
    ],
    [
      "another kind",
      { ...ad, header: header("AD", "\nX-Ad-Topic: hats"), agreed: { topics: ["shoes"] } },
      "header: reject consent-topic",
    ],
    ["no kind where some were agreed to", { ...ad, agreed: { topics: ["shoes"] } }, "header: reject consent-topic"],
    [
      "one kind too many",
      { ...ad, header: header("AD", "\nX-Ad-Topic: shoes\nX-Ad-Topic: hats"), agreed: { topics: ["shoes"] } },
      "header: reject consent-topic",
    ],
    [
      "the wrong hour: later it will do",
      { ...ad, agreed: { hours }, nowMs: NOW_MS + 12 * 3_600_000 },
      "rcpt: defer consent-hours",
    ],
  ],
});

it("takes one for each recipient when the headers are in, and names what goes back", async () => {
  const mail = { ...limited, to: ["ann@example.com", "ben@example.com"], packs: vn2020 };
  const found = await tellings(scope, mail);
  expect(found.filter(({ stage, finding }) => stage === "rcpt" && finding.claims)).toEqual([]);
  const claims = found.flatMap(({ stage, finding }) => (stage === "header" ? (finding.claims ?? []) : []));
  expect(claims.map(({ recipient, key }) => [recipient.address.key, key.id])).toEqual([
    ["ann@example.com", "agreed"],
    ["ben@example.com", "vn-2020.0"],
  ]);
});

it("says how many are allowed, and cites the law that says so", async () => {
  const [telling] = await tellings(scope, { ...ad, packs: vn2020, sent: 3 });
  expect(telling?.finding).toMatchObject({
    detail: "3 in 24 hours",
    source: { cite: "Decree 91/2020/ND-CP art. 13(5)" },
    packs: [{ id: "vn-2020" }],
    evidence: { advertiser: "shop", max: 3, hours: 24, taken: 3, recipients: 1 },
  });
});

it("cites the consent of a law that has no article of its own for its scope", async () => {
  const [china] = await tellings(scope, { ...limited, sent: 2 });
  expect(china?.finding.source?.cite).toBe("Order 38 (CN 2006) art. 13(2)");
  const [vietnam] = await tellings(scope, { ...limited, packs: [packOf("vn-2008")], sent: 2 });
  expect(vietnam?.finding.source?.cite).toBe("Circular 12/2008/TT-BTTTT III.1.1(a)");
});

it.each([
  ["AD Summer sale no. 12", "AD: summer SALE, no. 13", true],
  ["[QC 1231] Khuyến mãi 50%", "[QC] khuyến mãi 70%!", true],
  ["广告 夏季新品", "【广告】夏季新品 2", true],
  ["AD Summer sale", "AD Winter sale", false],
])("%j and %j count together: %s", async (one, other, together) => {
  const nameOf = async (subject: string) => {
    const encoded = `=?UTF-8?B?${Buffer.from(subject).toString("base64")}?=`;
    const found = await tellings(scope, { ...ad, packs: [packOf("vn-2012")], header: header(encoded) });
    return found.flatMap(({ finding }) => finding.claims ?? [])[0]?.key.id;
  };
  expect((await nameOf(one)) === (await nameOf(other))).toBe(together);
});

it("lets the world's failure pass through as such, never as a pass", async () => {
  const away = () => Promise.reject(new Unavailable("store", "away"));
  const look = scope.looks.rcpt;
  const view = viewsOf(ad).rcpt[0];
  if (!look || !view) throw new Error("the rule looks at rcpt");
  const context = { ...contextOf(ad), options: {}, quotas: { take: away, look: away } };
  await expect(async () => look(view, context)).rejects.toThrow(Unavailable);
});
