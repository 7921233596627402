import iconv from "iconv-lite";
import { describe, expect, it } from "vitest";
import { decodeCharset, guessCharset } from "../../src/mail/mime-charset.ts";

const CHINESE = "代开各类发票,欢迎来电咨询,价格优惠";
const TAIWAN = "代開各類發票,歡迎來電洽詢,價格優惠";
const JAPANESE = "お世話になっております。よろしくお願いいたします。";
const VIETNAMESE = "Khuyến mãi lớn, giảm giá đến năm mươi phần trăm";

describe("text in the charset it names", () => {
  const cases: [charset: string, text: string][] = [
    ["utf-8", CHINESE],
    ["gb2312", CHINESE],
    ["big5", TAIWAN],
    ["shift_jis", JAPANESE],
    ["windows-1252", "déjà vu – 5 €"],
    ["us-ascii", "plain"],
  ];
  it.each(cases)("%s", (charset, text) => {
    const bytes = iconv.encode(text, charset === "us-ascii" ? "utf8" : charset);
    expect(decodeCharset(bytes, charset)).toEqual({ text, guessed: false });
  });
});

describe("text whose label is missing or wrong is guessed", () => {
  const cases: [title: string, text: string, real: string, label: string | undefined][] = [
    ["GBK without a label", CHINESE, "gbk", undefined],
    ["GBK called UTF-8", CHINESE, "gbk", "utf-8"],
    ["UTF-8 without a label", VIETNAMESE, "utf8", undefined],
    ["UTF-8 called ASCII", CHINESE, "utf8", "us-ascii"],
    ["Big5 without a label", TAIWAN, "big5", "x-nobody-knows"],
    ["Shift_JIS without a label", JAPANESE, "shift_jis", undefined],
    ["windows-1252 without a label", "déjà vu, señor", "windows-1252", undefined],
  ];
  it.each(cases)("%s", (_, text, real, label) => {
    const decoded = decodeCharset(iconv.encode(text, real), label);
    expect(decoded.text).toBe(text);
  });

  it("and says so", () => expect(decodeCharset(iconv.encode(CHINESE, "gbk"), "utf-8").guessed).toBe(true));

  it("escape sequences of ISO-2022-JP are read where none were announced", () => {
    expect(decodeCharset(Buffer.from("\x1b$B9-9p\x1b(B"), "us-ascii").text).toBe("広告");
  });

  it("bytes that are nothing at all are read as something", () => {
    expect(guessCharset(Buffer.from([0xff, 0xfe, 0x80, 0x81]))).toBe("windows1252");
  });
});
