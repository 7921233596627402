import { describe, expect, it } from "vitest";
import { wordingOf } from "../../src/signals/normal.ts";
import { purposesOf } from "../../src/signals/purposes.ts";

const of = (text: string, subject = ""): string[] => purposesOf(wordingOf({ subject, text, own: [] }));

describe("what words are for", () => {
  it.each([
    ["discounts", "全场五折优惠", "Ưu đãi lớn", "Special offer inside"],
    ["loans", "无抵押贷款", "Vay von nhanh", "a low interest loan"],
    ["courses", "企业管理培训", "Khóa học kế toán", "Training course for buyers"],
    ["how to leave", "退订回T", "Từ chối QC, soạn TC", "unsubscribe here"],
  ])("%s are the same in Chinese, in Vietnamese with or without marks, and in English", (purpose, ...texts) => {
    for (const text of texts) expect(of(text)).toContain(purpose);
  });

  it("are read in the Subject too, and nothing is found where nothing is offered", () => {
    expect(of("", "Giảm giá 50%")).toContain("discounts");
    expect(of("Hi Ann, see you on Friday.")).toEqual([]);
  });

  it("are read at the beginning and the end of a long text, and not between", () => {
    const padding = "nothing to see here. ".repeat(600);
    expect(of(`special offer ${padding}`)).toEqual(["discounts"]);
    expect(of(`${padding} special offer`)).toEqual(["discounts"]);
    expect(of(`${padding} special offer ${padding}`)).toEqual([]);
  });
});
