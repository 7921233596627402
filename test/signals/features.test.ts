import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyText, type MailText } from "../../src/mail/text.ts";
import { FEATURE_BITS, type Features, featuresOf } from "../../src/signals/features.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

const mail = (subject: string, text: string, more: Partial<MailText> = {}) => ({
  subject,
  text: { ...emptyText(), text, ...more },
  own: [],
});
const of = (...args: Parameters<typeof mail>): Features => featuresOf(mail(...args));
const shared = (a: Features, b: Features): number =>
  a.buckets.filter((bucket) => b.buckets.includes(bucket)).length / a.buckets.length;

describe("a mail as numbers", () => {
  it("is a vector of length 1 over distinct buckets", () => {
    const { buckets, values } = of("Order 4711", "We ship it to you on Friday. 您好");
    expect(Math.hypot(...values)).toBeCloseTo(1, 5);
    expect(new Set(buckets).size).toBe(buckets.length);
    expect(Math.min(...buckets)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...buckets)).toBeLessThan(1 << FEATURE_BITS);
  });

  it("is the same for the same mail, whatever was read in between", () => {
    const before = of("Sale", "big sale today");
    of("x", "something else entirely 广告");
    expect(of("Sale", "big sale today")).toEqual(before);
  });

  it("does not mind marks, numbers and list prefixes", () => {
    expect(shared(of("[list] Khuyến mãi 50%", "Giảm giá 100 nghìn"), of("Khuyen mai 70%", "Giam gia 900 nghin"))).toBe(
      1,
    );
  });

  it("tells a word in the Subject from one in the text, and a Chinese mail's English words from an English mail's", () => {
    expect(shared(of("meeting", "x y"), of("x y", "meeting"))).toBeLessThan(0.9);
    expect(shared(of("sale", "sale sale"), of("sale", "sale 您好您好您好您好"))).toBeLessThan(0.2);
  });

  it("grows with repetition, but slowly", () => {
    const once = of("s", "sale");
    const often = of("s", "sale ".repeat(50));
    expect(Math.max(...often.values) / Math.max(...once.values)).toBeLessThan(3);
  });

  it("tells how a message without a Subject is written, by values of their own", () => {
    const { values } = of("", "xin chao ban ".repeat(100));
    expect(values.filter((value) => value === 0.5).length).toBeGreaterThan(10);
    expect(of("s", "xin chao ban").values).not.toContain(0.5);
  });

  it("counts words for one purpose as one, twice where there is no Subject", () => {
    const purposes = (subject: string, text: string, value = 0.1): number[] => {
      const { buckets, values } = of(subject, text);
      return [...buckets].filter((_, at) => values[at] === Math.fround(value));
    };
    expect(purposes("s", "a voucher")).toHaveLength(2);
    expect(purposes("s", "a voucher")).toEqual(purposes("s", "some discount"));
    expect(purposes("s", "a voucher")).not.toEqual(purposes("s", "giá rẻ, uu dai cho quy khach"));
    expect(purposes("s", "a voucher", 0.3)).toEqual([]);
    expect(purposes("", "a voucher", 0.3)).toHaveLength(1);
    expect(purposes("s", "a banana")).toEqual([]);
  });

  it("sees marks in a message without a Subject, and nowhere else; blanks before signs it does not see", () => {
    expect(shared(of("", "Giảm giá hôm nay"), of("", "Giam gia hom nay"))).toBeLessThan(0.8);
    expect(shared(of("s", "Giảm giá hôm nay"), of("s", "Giam gia hom nay"))).toBe(1);
    expect(shared(of("", "hay qua , hay lam"), of("", "hay qua, hay lam"))).toBe(1);
  });

  it("tells words in capitals from others, whatever stands beside them", () => {
    expect(shared(of("s", "BUY now"), of("s", "buy now"))).toBeLessThan(1);
    expect(shared(of("s", "Buy A_B B2B now"), of("s", "buy a_b b2b now"))).toBe(1);
  });
});

describe("any mail", () => {
  it("is made into a bounded number of features in a bounded time", () => {
    const words = Array.from({ length: 16_000 }, (_, at) => (at * 7).toString(36)).join(" ");
    const hostile = [
      words,
      "广告".repeat(8_000),
      Array.from({ length: 16_000 }, (_, at) => String.fromCharCode(0x4e00 + (at % 20_000))).join(""),
      "! ".repeat(8_000),
    ];
    for (const text of hostile) {
      const links = Array.from({ length: 200 }, (_, at) => `https://h${at}.example/`);
      expect(cpuTimeMs(() => void of("s", text, { links }))).toBeLessThan(150);
      expect(of("s", text, { links }).buckets.length).toBeLessThanOrEqual(24_000);
    }
  });

  it("whatever its words, gives finite values", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (subject, text) => {
        expect(of(subject, text).values.every(Number.isFinite)).toBe(true);
      }),
    );
  });
});
