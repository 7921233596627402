import { describe, expect, it } from "vitest";
import { subjectLabel } from "../../../src/rules/advertising/subject-label.ts";
import { type Described, ORDINARY, packOf } from "../../helpers/described.ts";
import { tellings, testRule } from "../../helpers/rule-tester.ts";
import { smallPack } from "../../helpers/small-packs.ts";

const { from, date } = ORDINARY;
const advertiser = { kind: "advertiser" } as const;
/** A mail of a registered advertiser with this Subject. */
const ad = (subject: string): Described => ({
  client: advertiser,
  header: [from, date, `Subject: ${subject}`].join("\n"),
});
const raw = (bytes: Buffer): Described => ({
  client: advertiser,
  header: Buffer.concat([Buffer.from(`${from}\r\n${date}\r\nSubject: `), bytes, Buffer.from("\r\n\r\n")]),
});
const declared = (...more: readonly string[]): Described => ({ client: {}, with: more.join("\n") });
const missing = "header: reject label-missing";
const noted = "header: note declared as advertising, without a label";
const held = "header: hold held";

testRule(subjectLabel, {
  letsThrough: [
    ["an ordinary mail of a stranger", {}],
    ["an ordinary mail of a client that is no advertiser", { client: {} }],
    ["the Chinese label", ad("广告 夏季新品")],
    ["the Chinese label in brackets", ad("【广告】夏季新品")],
    ["AD in capitals", ad("AD: summer sale")],
    ["AD in full width", ad("ＡＤ：夏季新品")],
    ["the Vietnamese label", ad("[QC] Khuyen mai")],
    ["the Vietnamese label with a code", ad("[QC 1231] Khuyen mai")],
    ["the label as encoded word in UTF-8 B", ad("=?UTF-8?B?5bm/5ZGKIOWkj+Wto+aWsOWTgQ==?=")],
    ["the label as encoded word in UTF-8 Q", ad("=?utf-8?q?=E5=B9=BF=E5=91=8A_sale?=")],
    ["the label as encoded word in GB2312 B", ad("=?GB2312?B?ueO45g==?= =?GB2312?B?z8S8vg==?=")],
    ["the label as encoded word in GBK Q", ad("=?GBK?Q?=B9=E3=B8=E6?= sale")],
    ["the label cut between two words inside a character", ad("=?utf-8?Q?=E5=B9=BF=E5?=\n =?utf-8?Q?=91=8A?= sale")],
    ["the label as raw GB18030", raw(Buffer.from([0xb9, 0xe3, 0xb8, 0xe6, 0x20, 0xcf, 0xc4]))],
    ["the label as raw UTF-8", raw(Buffer.from("广告 夏季"))],
    ["the label on a folded line of its own", ad("\n 广告 夏季新品")],
    [
      "Subject in capitals with a blank before the colon",
      { client: advertiser, header: `${from}\n${date}\nSUBJECT : AD x` },
    ],
    ["an advertisement where no law protects the recipient", { ...ad("sale"), packs: [] }],
    ["an advertisement under a law that knows no label", { ...ad("sale"), packs: [smallPack({ consent: "opt-in" })] }],
    [
      "the label of one of two laws",
      { ...ad("XAD sale"), packs: [smallPack({ label: "XAD" }), smallPack({ id: "yy", label: "YAD" })] },
    ],
    ["X-Ad that says no", declared("X-Ad: no")],
    ["List-Unsubscribe without Precedence: bulk", declared("List-Unsubscribe: <https://l.example/u>")],
    ["Precedence: bulk without List-Unsubscribe", declared("Precedence: bulk")],
    ["a discussion list", declared("List-Unsubscribe: <https://l.example/u>", "Precedence: list")],
  ],
  catches: [
    ["an advertiser without a label", ad("summer sale"), missing],
    ["an advertising service", { client: { kind: "ad-service" } }, missing],
    ["an advertiser without a Subject", { client: advertiser, header: `${from}\n${date}` }, missing],
    ["X-Ad: yes", declared("X-Ad: yes"), missing],
    ["X-AD : TRUE", declared("X-AD : TRUE"), missing],
    ["the second of two X-Ad", declared("X-Ad: no", "X-Ad: 1"), missing],
    ["a bulk list", declared("List-Unsubscribe: <https://l.example/u>", "Precedence: Bulk"), missing],
    ["a stranger's declared advertisement", { with: "X-Ad: yes" }, noted],
    ["a stranger's bulk list", { with: "List-Unsubscribe: <x>\nPrecedence: bulk" }, noted],
    ["a host of relayNetworks", { relayNetwork: true, with: "X-Ad: yes" }, missing],
    ["ad in small letters", ad("ad: sale"), missing],
    ["the label not first", ad("Re: 广告 夏季"), missing],
    ["the label at the end", ad("sale AD"), missing],
    ["Adobe", ad("Adobe releases a product"), missing],
    ["ADVERT", ad("ADVERT"), missing],
    ["a Cyrillic А", ad("АD: sale"), missing],
    ["a hidden character inside", ad("广\u200b告 sale"), missing],
    ["the old character", ad("廣告 sale"), missing],
    ["the label in the Comments field", { client: advertiser, with: "Comments: 广告" }, missing],
    ["a label that only an undecoded word holds", ad("=?x-unknown?B?ueO45g==?="), missing],
    ["a law that holds", { ...ad("sale"), packs: [smallPack({ label: "XAD", labelMissing: "hold" })] }, held],
    ["a law that notes", { ...ad("sale"), packs: [smallPack({ label: "XAD", labelMissing: "note" })] }, noted],
    [
      "a law that nobody has confirmed",
      { ...ad("sale"), packs: [smallPack({ label: "XAD", confidence: "GK" })] },
      noted,
    ],
    [
      "a law that refuses strangers too",
      { with: "X-Ad: yes", packs: [smallPack({ label: "XAD", strangers: "reject" })] },
      missing,
    ],
  ],
});

it("names the labels that would do in ASCII, and the article of the law that refuses", async () => {
  const [telling] = await tellings(subjectLabel, ad("sale"));
  expect(telling?.finding).toMatchObject({
    kind: "reject",
    detail: "U+5E7F U+544A or AD or [QC] or [ADV] or [QC CODE] or [ADV CODE]",
    source: { cite: "Order 38 (CN 2006) art. 13(3)" },
    packs: [{ id: "cn-2006" }],
    evidence: { declared: "client is advertiser" },
  });
});

it("speaks in the name of each law apart, so that one that is watched hides no other", async () => {
  const strict = smallPack({ id: "xx", label: "XAD", labelMissing: "reject" });
  const mild = smallPack({ id: "yy", label: "YAD", labelMissing: "hold" });
  const found = await tellings(subjectLabel, { ...ad("sale"), packs: [strict, mild] });
  expect(
    found
      .filter(({ stage }) => stage === "header")
      .map(({ finding }) => [finding.kind, "packs" in finding && finding.packs?.map(({ id }) => id)]),
  ).toEqual([
    ["reject", ["xx"]],
    ["hold", ["yy"]],
  ]);
});

describe("recipients under different laws", () => {
  const packsByDomain = {
    "kr.example": [packOf("kr")],
    "sg.example": [packOf("sg")],
    "vn.example": [packOf("vn-2020")],
  };
  const batch = (subject: string, to: readonly string[]): Described => ({ ...ad(subject), to, packsByDomain });
  const says = async (mail: Described) =>
    (await tellings(subjectLabel, mail))
      .filter(({ finding }) => finding.kind !== "skip")
      .map(({ finding }) => [
        "reply" in finding ? finding.reply : finding.kind,
        finding.recipients?.map(({ address }) => address.key),
        "detail" in finding ? finding.detail : undefined,
      ]);

  it("whose labels cannot both be first need mails of their own, and the reply says which", async () => {
    const detail = "(U+AD11 U+ACE0) to ann@kr.example, ben@kr.example; <ADV> to cleo@sg.example";
    expect(await says(batch("sale", ["ann@kr.example", "ben@kr.example", "cleo@sg.example"]))).toEqual([
      ["label-mixed", ["ann@kr.example", "ben@kr.example"], detail],
      ["label-mixed", ["cleo@sg.example"], detail],
    ]);
  });

  it("are refused in part where the Subject suits the others", async () => {
    expect(await says(batch("<ADV> sale", ["ann@kr.example", "cleo@sg.example"]))).toMatchObject([
      ["label-mixed", ["ann@kr.example"], expect.stringContaining("<ADV> to cleo@sg.example")],
    ]);
  });

  it("hear of the one label that would do for all of them, where there is one", async () => {
    const china = { "cn.example": [packOf("cn-2006")], ...packsByDomain };
    const mail = { ...batch("[QC] sale", ["li@cn.example", "anh@vn.example"]), packsByDomain: china };
    expect(await says(mail)).toEqual([["label-missing", ["li@cn.example"], "[AD]"]]);
    const right = { ...mail, ...ad("[AD] sale") };
    expect(await says(right)).toEqual([["pass", undefined, undefined]]);
  });

  it("of many only the first are named", async () => {
    const to = ["x@kr.example", ...Array.from({ length: 9 }, (_, i) => `r${i}@sg.example`)];
    const [[, , detail] = []] = await says(batch("sale", to));
    expect(detail).toMatch(/r4@sg\.example and 4 more$/);
  });
});

describe("a label that is added", () => {
  const adding = (mail: Described): Described => ({ ...mail, options: { addLabel: true } });
  const edits = async (mail: Described) =>
    (await tellings(subjectLabel, mail)).flatMap(({ finding }) =>
      (finding.edits ?? []).map((edit) => ("value" in edit ? edit.value : edit.kind)),
    );

  it("stands in front of the Subject, encoded where it must be", async () => {
    expect(await edits(adding(ad("summer sale")))).toEqual(["=?UTF-8?B?5bm/5ZGK?= summer sale"]);
    expect(await edits(adding({ ...ad("summer sale"), packs: [packOf("sg")] }))).toEqual(["<ADV> summer sale"]);
  });

  it("is what a pack may ask for itself", async () => {
    const mail = { ...ad("sale"), packs: [smallPack({ label: "XAD", labelMissing: "label" })] };
    const [telling] = await tellings(subjectLabel, mail);
    expect(telling?.finding).toMatchObject({ kind: "note", edits: [{ kind: "replace", value: "XAD sale" }] });
  });

  it("is the one that does for everybody in the mail", async () => {
    const packsByDomain = { "cn.example": [packOf("cn-2006")], "xx.example": [smallPack({ label: "[AD]" })] };
    const mail = { ...ad("sale"), to: ["li@cn.example", "x@xx.example"], packsByDomain };
    expect(await edits(adding(mail))).toEqual(["[AD] sale", "[AD] sale"]);
  });

  const refused: [why: string, mail: Described][] = [
    ["a stranger's mail, which its law only notes", { with: "X-Ad: yes" }],
    ["mail that is signed", { client: advertiser, with: "DKIM-Signature: v=1; d=shop.example" }],
    ["mail that somebody sealed", { client: advertiser, with: "ARC-Seal: i=1" }],
    ["a Subject in bytes that no charset names", raw(Buffer.from([0xb9, 0xe3, 0x20, 0xcf]))],
    [
      "recipients whose laws share no label",
      {
        ...ad("sale"),
        to: ["a@kr.example", "b@sg.example"],
        packsByDomain: { "kr.example": [packOf("kr")], "sg.example": [packOf("sg")] },
      },
    ],
    ["a law whose label is general knowledge", { ...ad("sale"), packs: [packOf("vn-2020")] }],
  ];
  it.each(refused)("is not put on %s", async (_, mail) => expect(await edits(adding(mail))).toEqual([]));

  it("where it cannot be added the mail is refused", async () => {
    const signed = { client: advertiser, with: "DKIM-Signature: v=1; d=shop.example" };
    const pack = smallPack({ label: "XAD", labelMissing: "label" });
    const [telling] = await tellings(subjectLabel, { ...signed, packs: [pack] });
    expect(telling?.finding).toMatchObject({ kind: "reject", reply: "label-missing" });
  });
});
