import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bareBody, bareSubject, foldLatin, wordingOf } from "../../src/signals/normal.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

describe("a Subject without what carries it", () => {
  const cases: [title: string, subject: string, bare: string][] = [
    ["reply prefixes in any language", "Re: 答复：AW: Fwd[2]: Trả lời: price list", "price list"],
    ["prefixes of mailing lists", "[linux-dev] Re: [PATCH v2] fix", "fix"],
    ["declared labels, so that the words are judged alone", "广告：夏季新品", "夏季新品"],
    ["labels in brackets", "[QC] Khuyến mãi", "Khuyến mãi"],
    ["labels with a management code", "ADV 12345678: sale", "sale"],
    ["what another filter wrote in front", "[SPAM] cheap", "cheap"],
  ];
  it.each(cases)("%s", (_, subject, bare) => expect(bareSubject(subject).trim()).toBe(bare));

  it("words that only begin like a label stay", () => {
    expect(bareSubject("advice for you")).toBe("advice for you");
    expect(bareSubject("广告设计方案")).toBe("广告设计方案");
  });
});

describe("a body without what carries it", () => {
  const cases: [title: string, body: string, bare: string][] = [
    ["quoting marks, the quoted words kept", "> > buy now\n: 你好", "buy now\n你好"],
    ["header lines standing in the text", "发件人: a\nFrom: b\ntext", "text"],
    ["lines that introduce quotations", "On Monday Ann wrote:\n> yes", "yes"],
    ["footers of mailing lists", "text\nlist mailing list\nhttps://x.example/mailman/listinfo/x", "text"],
    ["a label at the front", "[QC] Giảm giá", "Giảm giá"],
  ];
  it.each(cases)("%s", (_, body, bare) => expect(bareBody(body).trim()).toBe(bare));

  it("of a long one the beginning and the end count", () => {
    const bare = bareBody(`begin ${"x\n".repeat(50_000)} end`);
    expect(bare.length).toBeLessThan(17_000);
    expect(bare).toMatch(/^begin[\s\S]*end$/);
  });
});

describe("the words", () => {
  it("are lower case without marks, as most Vietnamese mail is typed", () => {
    expect(foldLatin("Khuyến MÃI Đặc biệt")).toBe("khuyen mai dac biet");
  });

  it("have digits as 0, and addresses as one sign", () => {
    const { body } = wordingOf({ subject: "", text: "Pay 1234 at https://x.example/?id=9 or a.b@c.example", own: [] });
    expect(body.replace(/\s+/g, " ")).toBe("pay 0000 at \u0001u or \u0001m ");
  });

  it("leave out the recipient's own name, whatever signs are in it", () => {
    const { subject, body } = wordingOf({
      subject: "hoa.le, an offer",
      text: "Dear Hoa.Le (x+y)",
      own: ["hoa.le", "x+y"],
    });
    expect(`${subject}|${body}`).toBe(" , an offer|dear   ( )");
  });
});

it("any text is read in a time that grows with its length", () => {
  const hostile = [
    "From:".repeat(4_000),
    "> ".repeat(8_000),
    "[a] ".repeat(4_000),
    "a@".repeat(8_000),
    "x\n".repeat(8_000),
    `${"http://".repeat(2_000)}`,
  ];
  for (const text of hostile) {
    expect(cpuTimeMs(() => void wordingOf({ subject: text, text, own: ["a+b"] }))).toBeLessThan(100);
  }
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 3 }), (text, own) => {
      expect(typeof wordingOf({ subject: text, text, own: [own] }).body).toBe("string");
    }),
  );
});
