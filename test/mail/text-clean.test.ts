import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanText } from "../../src/mail/text-clean.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

describe("characters as a reader takes them", () => {
  const cases: [title: string, raw: string, text: string, zeroWidth: number, lookAlikes: number][] = [
    ["plain text as it is", "Big sale, 50 % off\n", "Big sale, 50 % off\n", 0, 0],
    ["Chinese and Vietnamese as they are", "广告：khuyến mãi", "广告:khuyến mãi", 0, 0],
    ["zero width inside words goes, and is counted", "fr\u200bee mo\u200d\u200bney", "free money", 2, 0],
    ["soft hyphens go", "adver\u00adtisement", "advertisement", 1, 0],
    ["zero width between Chinese characters", "发\u200b票", "发票", 1, 0],
    ["padding between words, as newsletters use it, is not counted", "Hello \u200c \u200c \u200c", "Hello   ", 0, 0],
    ["Cyrillic letters in a Latin word", "frее mоnеy", "free money", 0, 2],
    ["a Russian word stays Russian", "деньги", "деньги", 0, 0],
    ["a Greek word stays Greek", "χρήματα", "χρήματα", 0, 0],
    ["mathematical letters are folded and counted", "𝐬𝐚𝐥𝐞", "sale", 0, 4],
    ["circled letters too", "Ⓢⓐⓛⓔ", "Sale", 0, 4],
    ["full width is ordinary in East Asian text", "ＡＤ：１００", "AD:100", 0, 0],
  ];
  it.each(cases)("%s", (_, raw, text, zeroWidth, lookAlikes) => {
    expect(cleanText(raw)).toEqual({ text, zeroWidth, lookAlikes });
  });
});

describe("hostile text", () => {
  const cases: [title: string, raw: string][] = [
    [
      "marks heaped in the wrong order",
      `a${"\u0315".repeat(32_000)}${"\u0300".repeat(16_000)}${"\u0327".repeat(16_000)}`,
    ],
    ["marks alternating", `a${"\u0300\u0327".repeat(32_000)}`],
    ["scripts mixed in one endless word", "аa".repeat(32_000)],
    ["invisible characters between all letters", "a\u200b".repeat(32_000)],
    ["ligatures that fold into many letters", "\uFDFA".repeat(65_000)],
  ];
  it.each(cases)("%s", (_, raw) => expect(cpuTimeMs(() => void cleanText(raw))).toBeLessThan(300));

  it("cleaning twice changes nothing more", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "а", "\u200b", "е", "b", " ", "𝐬", "广", "\u0301", "ａ") });
    fc.assert(
      fc.property(text, (raw) => {
        const once = cleanText(raw).text;
        expect(cleanText(once).text).toBe(once);
      }),
    );
  });
});
