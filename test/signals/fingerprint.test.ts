import { describe, expect, it } from "vitest";
import { countOf, fingerprintOf, PRINT } from "../../src/signals/fingerprint.ts";
import { wordingOf } from "../../src/signals/normal.ts";
import { minutes, sale } from "../helpers/detections.ts";

const printOf = (text: string, subject = ""): string[] => fingerprintOf(wordingOf({ subject, text, own: [] }));
const shared = (a: readonly string[], b: readonly string[]): number => a.filter((key) => b.includes(key)).length;
/** At least two: that is what the count stands on. */
const same = (a: string, b: string): boolean => shared(printOf(a), printOf(b)) >= 2;

const VI = (name: string, code: string): string =>
  `Kính gửi anh/chị ${name},\nCửa hàng chúng tôi khuyến mãi lớn nhân dịp hè: giảm giá 50% toàn bộ sản phẩm, miễn phí giao hàng, tặng kèm quà.\n` +
  `Đặt hàng ngay hôm nay qua hotline 0900 123 456. Mã của bạn: ${code}. http://shop.example/km?c=${code}\n` +
  "Cảm ơn anh/chị đã quan tâm và đồng hành cùng cửa hàng trong suốt thời gian qua.\n";
const EN = (name: string, code: string): string =>
  `Dear ${name},\nour summer sale has begun. Everything in the shop is half price until Sunday, and shipping is free of charge.\n` +
  `Your personal voucher is ${code}: enter it when you order at https://shop.example/v/${code}. Stocks are limited, so do not wait.\n` +
  "We are looking forward to your visit and thank you for your loyalty during all these years.\n";

describe("the fingerprint of a text", () => {
  it.each([
    ["Chinese", sale("李先生", 1), sale("欧阳女士", 207)],
    ["Vietnamese", VI("Nguyễn Văn An", "AB12"), VI("Trần Thị Bình", "X9-77")],
    ["English", EN("Mr Smith", "QX-1"), EN("Mrs Montgomery-Jones", "ZZ99817")],
  ])("survives another name, other numbers and another link: %s", (_, one, other) => {
    expect(same(one, other)).toBe(true);
  });

  it("does not tell Vietnamese with marks from Vietnamese without", () => {
    const bare = VI("An", "A1")
      .normalize("NFD")
      .replace(/\p{Mn}/gu, "")
      .replace(/[đĐ]/g, "d");
    expect(same(VI("An", "A1"), bare)).toBe(true);
  });

  it("differs for different texts", () => {
    const texts = [sale(), VI("An", "A"), EN("Ann", "A"), minutes()];
    for (const one of texts)
      for (const other of texts) if (one !== other) expect(shared(printOf(one), printOf(other))).toBe(0);
  });

  it("is the same on every machine", () => {
    expect(printOf(EN("Ann", "A1"))).toEqual(printOf(EN("Ann", "A1")));
    expect(printOf(EN("Ann", "A1"))).toHaveLength(PRINT.bands);
  });

  it("is none for a text that is too short to be told from others", () => {
    expect(printOf("OK, thanks!\n")).toEqual([]);
    expect(printOf("")).toEqual([]);
  });

  it("takes bounded time for a text without end", () => {
    expect(printOf("夏季新品".repeat(200_000)).length).toBeLessThanOrEqual(PRINT.bands);
  });
});

describe("the count of a fingerprint", () => {
  it.each([
    [[], 0],
    [[7], 7],
    [[7, 3], 3],
    [[1, 412, 400, 1, 398, 1], 400],
  ])("%j stands for %i: one chance meeting does not matter", (counts, expected) => {
    expect(countOf(counts)).toBe(expected);
  });
});
