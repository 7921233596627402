import { describe, expect, it } from "vitest";
import { charsetName, decodeBytes } from "../../src/mail/header-charset.ts";

describe("a charset is known however it is written", () => {
  const cases: [name: string, spellings: string[]][] = [
    ["utf8", ["utf-8", "UTF-8", "utf8", "UTF_8", "utf-8*vi", "unicode-1-1-utf-8", "utf8mb4"]],
    ["gb18030", ["gb2312", "GB_2312-80", "gbk", "x-gbk", "cp936", "EUC-CN", "eucgb2312_cn", "gb18030-2000", "chinese"]],
    ["cp950", ["big5", "Big-5", "x-big5", "cp950"]],
    ["big5hkscs", ["big5-hkscs", "Big5-HKSCS:2004"]],
    ["cp949", ["euc-kr", "ks_c_5601-1987", "KS_C_5601", "uhc"]],
    ["cp932", ["shift_jis", "Shift-JIS", "x-sjis", "windows-31j"]],
    ["windows1252", ["us-ascii", "iso-8859-1", "latin1", "ANSI_X3.4-1968"]],
    ["windows1258", ["windows-1258", "cp1258", "CP-1258"]],
    ["tcvn", ["tcvn-5712", "x-viet-tcvn5712", "TCVN5712-1"]],
    ["iso2022jp", ["iso-2022-jp", "ISO-2022-JP-2", "iso-2022-jp-ms"]],
    ["hzgb2312", ["hz-gb-2312", "HZ"]],
    ["koi8r", ["koi8-r", "KOI8-R*ru"]],
    ["windows1251", ["windows-1251", "Windows_1251"]],
    [
      "unknown",
      ["unknown-8bit", "x-unknown", "base64", "hex", "binary", "constructor", "__proto__", "_sbcs", "", "*en"],
    ],
  ];
  it.each(cases)("%s", (name, spellings) => {
    expect(spellings.map((spelling) => [spelling, charsetName(spelling)])).toEqual(spellings.map((s) => [s, name]));
  });

  it("a name as long as a header is nobody's", () => expect(charsetName("a".repeat(100_000))).toBe("unknown"));
});

describe("bytes of every charset that is named", () => {
  const cases: [charset: string, hex: string, text: string][] = [
    ["utf-8", "e5b9bf", "广"],
    ["gb2312", "b9e3b8e6", "广告"],
    ["gb18030", "8139ee39", "㐀"],
    ["big5", "bc73a769", "廣告"],
    ["euc-kr", "b1a4b0ed", "광고"],
    ["shift_jis", "8d4c8d90", "広告"],
    ["euc-jp", "b9adb9f0", "広告"],
    ["windows-1251", "d0e5eae4", "Рекд"],
    ["windows-1258", "eaec", "ế"],
    ["viscii", "aa", "ế"],
    ["tcvn-5712", "d5", "ế"],
    ["utf-7", Buffer.from("+Xn9USg-").toString("hex"), "广告"],
    ["utf-16", "fffe7f5e", "广"],
    ["tis-620", "a1", "ก"],
    ["us-ascii", "414480", "AD€"],
    ["x-nobody", "4144b9", "AD\uFFFD"],
  ];
  it.each(cases)("%s", (charset, hex, text) => {
    expect(decodeBytes(Buffer.from(hex, "hex"), charsetName(charset))).toBe(text);
  });
});
