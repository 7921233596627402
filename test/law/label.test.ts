import { describe, expect, it } from "vitest";
import { type LabelMatch, matchLabel, type Near } from "../../src/law/label.ts";
import type { Label } from "../../src/law/pack.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

const base = {
  legacy: [],
  onMissing: { clients: "reject", strangers: "note" },
  source: { cite: "Test Act art. 1", confidence: "C2" },
} as const satisfies Partial<Label>;
const front: Label = { ...base, legacy: [], accept: ["广告", "AD"], variants: ["廣告"], position: "front" };
const exact: Label = {
  ...base,
  legacy: [],
  accept: ["[QC]", "[ADV]", "[QC {code}]", "[ADV {code}]"],
  codePattern: "[A-Z0-9]{3}1",
  position: "exact",
};
const vn2020: Label = { ...exact, accept: ["[QC]", "[AD]"], legacy: ["[ADV]", "[QC {code}]", "[ADV {code}]"] };
const kr: Label = { ...base, legacy: [], accept: ["(광고)"], variants: ["(廣告)"], position: "exact" };
const sg: Label = { ...base, legacy: [], accept: ["<ADV> "], position: "exact" };
const us: Label = { ...base, legacy: [], accept: ["SEXUALLY-EXPLICIT: "], position: "exact" };

const found = (text: string, how: "exact" | "disguised" = "exact"): LabelMatch => ({ found: true, text, how });
const missing = (near?: Near): LabelMatch => ({ found: false, ...(near && { near }) });

type Cases = [subject: string, match: LabelMatch][];
const check = (label: Label, cases: Cases): void =>
  it.each(cases)("%j", (subject, match) => expect(matchLabel(label, subject)).toEqual(match));

describe('position "front": the words stand first', () => {
  describe("found, whatever bracket or separator", () =>
    check(front, [
      ["广告", found("广告")],
      ["广告 夏季", found("广告")],
      ["广告：x", found("广告")],
      ["广告x", found("广告")],
      ["【广告】x", found("广告")],
      ["〈广告〉x", found("广告")],
      ["《广告》x", found("广告")],
      ["「广告」x", found("广告")],
      ["『广告』x", found("广告")],
      ["〔广告〕x", found("广告")],
      ["〖广告〗x", found("广告")],
      ["“广告”x", found("广告")],
      ["‘广告’x", found("广告")],
      ['"广告" x', found("广告")],
      ["( 广告 ) x", found("广告")],
      ["[AD] x", found("AD")],
      ["（AD）x", found("AD")],
      ["{AD} x", found("AD")],
      ["<AD> x", found("AD")],
      ["＜AD＞ x", found("AD")],
      ["«AD» x", found("AD")],
      ["[AD x", found("AD")],
      ["AD] x", found("AD")],
      ["AD", found("AD")],
      ["AD x", found("AD")],
      ["AD: x", found("AD")],
      ["AD：x", found("AD")],
      ["AD-x", found("AD")],
      ["AD夏季", found("AD")],
      ["ADお知らせ", found("AD")],
      ["ADセール", found("AD")],
      ["AD광고", found("AD")],
      ["AD2026", found("AD")],
      ["\u3000广告", found("广告")],
      [" \u00A0AD", found("AD")],
    ]));

  describe("广告 has no case and needs no end", () => check(front, [["广告Apple新品", found("广告")]]));

  describe("found in compatibility forms of its letters, and told", () =>
    check(front, [
      ["ＡＤ x", found("AD", "disguised")],
      ["ＡＤ：x", found("AD", "disguised")],
      ["［ＡＤ］x", found("AD", "disguised")],
      ["AＤ x", found("AD", "disguised")],
      ["𝐀𝐃 x", found("AD", "disguised")],
      ["ⒶⒹ x", found("AD", "disguised")],
      ["\u2F34告", found("广告", "disguised")],
    ]));

  describe("full width around plain letters is no disguise", () => check(front, [["［AD］x", found("AD")]]));

  describe("AD is a word by itself and no part of one", () =>
    check(front, [
      ["Adobe", missing()],
      ["ADOBE", missing()],
      ["ADVERT", missing()],
      ["advert", missing()],
      ["ADs", missing()],
      ["ADé", missing()],
      ["AD\u043Ebe", missing()],
      ["AD\uA4E6", missing()],
      ["AD\u15EA", missing()],
      ["ADｏｂｅ", missing()],
      ["ＡＤＶＥＲＴ", missing()],
      ["AD\u200BVANCE", missing()],
      ["AD\u00ADVANCE", missing()],
      ["AD\u0301", missing()],
      ["\u00C0D", missing()],
      ["BAD", missing()],
    ]));

  describe("a hidden character behind it, before no letter, takes nothing away", () =>
    check(front, [
      ["AD\u200B 夏季", found("AD")],
      ["AD\uFE0F夏季", found("AD")],
      ["广告\u200B夏季", found("广告")],
    ]));

  describe("not found: other words in front", () =>
    check(front, [
      ["Re: 广告", missing("not-first")],
      ["RE: AD", missing("not-first")],
      ["Fwd: AD x", missing("not-first")],
      ["回复：广告", missing("not-first")],
      ["[list] 广告", missing("not-first")],
      ["[list] AD: x", missing("not-first")],
      ["x (AD)", missing("not-first")],
      ["公司广告合作", missing("not-first")],
      ["Re: BAD news", missing()],
      ["Re: Adobe", missing()],
    ]));

  describe("not found: other signs before or between, other letters", () =>
    check(front, [
      ["★广告", missing("variant")],
      ["((AD)) x", missing("variant")],
      ["广 告", missing("variant")],
      ["广.告", missing("variant")],
      ["A D", missing("variant")],
      ["A.D. x", missing("variant")],
      ["A\u20DED", missing()],
      ["廣告 x", missing("variant")],
      ["【廣告】x", missing("variant")],
    ]));

  describe("not found: small letters", () =>
    check(front, [
      ["ad", missing("lower-case")],
      ["ad: x", missing("lower-case")],
      ["Ad: x", missing("lower-case")],
      ["[ad] x", missing("lower-case")],
      ["ａｄ x", missing("lower-case")],
      ["ad hoc meeting", missing("lower-case")],
      ["adobe", missing()],
    ]));

  describe("not found: a person sees it and a filter does not", () =>
    check(front, [
      ["\u0410D", missing("look-alike")],
      ["\u0410 D", missing("look-alike")],
      ["A\u0500 x", missing("look-alike")],
      ["\u0391D x", missing("look-alike")],
      ["\u13AA\u15EA x", missing("look-alike")],
      ["[\u0410D] x", missing("look-alike")],
      ["广\u200B告", missing("look-alike")],
      ["广\uFE0F告", missing("look-alike")],
      ["广\u00AD告", missing("look-alike")],
      ["A\u200BD", missing("look-alike")],
      ["A\u3164D", missing("look-alike")],
      ["\u200BAD", missing("look-alike")],
      ["\uFEFF广告", missing("look-alike")],
      ["\u202EDA", missing()],
      ["\u0430d", missing("lower-case")],
    ]));

  describe("not found: nothing like it", () =>
    check(front, [
      ["", missing()],
      ["夏季新品", missing()],
      ["Sale", missing()],
      ["[QC] x", missing()],
    ]));
});

describe('position "exact": the Subject begins with the label, to the letter', () => {
  describe("found", () =>
    check(exact, [
      ["[QC]", found("[QC]")],
      ["[QC] Sale", found("[QC]")],
      ["[QC]Sale", found("[QC]")],
      ["[QC] Re: Sale", found("[QC]")],
      ["[ADV] Sale", found("[ADV]")],
      ["[QC] [QC 1231]", found("[QC]")],
    ]));

  it.each([
    ["[QC 1231] Sale", "[QC 1231]", "1231"],
    ["[QC ABC1]Sale", "[QC ABC1]", "ABC1"],
    ["[ADV AB91]", "[ADV AB91]", "AB91"],
  ])("%j, with its code", (subject, text, code) => {
    expect(matchLabel(exact, subject)).toEqual({ found: true, text, code, how: "exact" });
  });

  describe("not found", () =>
    check(exact, [
      ["[qc] x", missing("lower-case")],
      ["(QC) x", missing("variant")],
      ["【QC】x", missing("variant")],
      ["QC: Sale", missing("variant")],
      ["[ QC ] x", missing("variant")],
      ["[QC1231] x", missing("variant")],
      ["[QC  1231] x", missing("variant")],
      ["[QC 1232] x", missing("variant")],
      ["[QC 123] x", missing("variant")],
      ["[QC 12311] x", missing("variant")],
      ["[QC abc1] x", missing("variant")],
      ["［QC］x", missing("variant")],
      ["[ＱＣ] x", missing("variant")],
      [" [QC] x", missing("variant")],
      ["\u3000[QC] x", missing("variant")],
      ["Re: [QC] x", missing("not-first")],
      ["[list] [QC 1231] x", missing("not-first")],
      ["Sale [QC]", missing("not-first")],
      ["[Q\u200BC] x", missing("look-alike")],
      ["\u200B[QC] x", missing("look-alike")],
      ["[Q\u0421] x", missing("look-alike")],
      ["[\u051AC] x", missing("look-alike")],
      ["[\u0410DV] x", missing("look-alike")],
      ["[QCVN] x", missing()],
      ["[ADVERT] x", missing()],
      ["[AD] x", missing()],
      ["Sale", missing()],
      ["", missing()],
    ]));
});

describe("labels of other laws need nothing but data", () => {
  describe("an older rule's label is told", () =>
    check(vn2020, [
      ["[AD] x", found("[AD]")],
      ["[ADV] x", missing("legacy")],
      ["[QC 1231] x", missing("legacy")],
    ]));
  describe("(광고)", () =>
    check(kr, [
      ["(광고) x", found("(광고)")],
      ["(광고)x", found("(광고)")],
      ["(광.고) x", missing("variant")],
      ["(광 고) x", missing("variant")],
      ["(廣告) x", missing("variant")],
      ["[광고] x", missing("variant")],
      ["x (광고)", missing("not-first")],
    ]));
  it("(광고) in decomposed letters is the same text (NFC)", () =>
    expect(matchLabel({ ...kr, accept: ["(광고)".normalize("NFD")] }, "(광고) x").found).toBe(true));
  describe("<ADV> with its space", () =>
    check(sg, [
      ["<ADV> Sale", found("<ADV> ")],
      ["<ADV>Sale", missing("variant")],
    ]));
  describe("SEXUALLY-EXPLICIT: ", () =>
    check(us, [
      ["SEXUALLY-EXPLICIT: x", found("SEXUALLY-EXPLICIT: ")],
      ["Sexually-Explicit: x", missing("lower-case")],
    ]));
  describe("a text that could be a pattern is taken literally", () =>
    check({ ...base, legacy: [], accept: ["A.*|(B)[^c]$"], position: "exact" }, [
      ["A.*|(B)[^c]$ x", found("A.*|(B)[^c]$")],
      ["Axx", missing()],
    ]));
});

describe("time is linear in the Subject", () => {
  const MIB = 1_048_576;
  const pieces = [" ", "(", "( ", "A", "A.", "AD\u200B", "\u200B", "[QC ", "\u3000", "[QC 123", "ad", "\uFDFA", "А"];
  it.each(pieces)("a MiB of %j takes less than a second", (piece) => {
    const subject = piece.repeat(MIB / Buffer.byteLength(piece));
    for (const label of [front, exact]) {
      expect(matchLabel(label, subject).found).toBe(false);
      // A copy is matched anew: the label's own matcher remembers.
      const time = cpuTimeMs(() => {
        matchLabel({ ...label }, subject);
        matchLabel({ ...label }, `AD${subject}`);
      });
      expect(time).toBeLessThan(1000);
    }
  });

  it("the same Subject again is not looked at again, and another is", () => {
    expect(matchLabel(front, "AD one")).toBe(matchLabel(front, "AD one"));
    expect(matchLabel(front, "one").found).toBe(false);
    expect(matchLabel(front, "AD one").found).toBe(true);
  });
});
