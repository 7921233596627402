import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import iconv from "iconv-lite";
import { describe, expect, it } from "vitest";
import { DECODED_CHARS_MAX, decodeEncodedWords } from "../../src/mail/encoded-words.ts";
import { Headers } from "../../src/mail/headers.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

const b64 = (text: string, charset: string): string => iconv.encode(text, charset).toString("base64");
const bytes = (text: string, charset: string): string => iconv.encode(text, charset).toString("latin1");

describe("an encoded word is read", () => {
  const cases: [title: string, value: string, text: string][] = [
    ["in B", `=?UTF-8?B?${b64("广告 夏季", "utf8")}?=`, "广告 夏季"],
    ["in Q", "=?utf-8?Q?=E5=B9=BF=E5=91=8A_sale?=", "广告 sale"],
    ["with small hex digits", "=?utf-8?q?=e5=b9=bf?=", "广"],
    ["with b and q in either case", `=?GB2312?b?${b64("广告", "gbk")}?=`, "广告"],
    ["in GB2312", `=?GB2312?B?${b64("广告", "gbk")}?=`, "广告"],
    ["in GBK, with a character GB2312 lacks", `=?gb2312?B?${b64("朱镕基", "gbk")}?=`, "朱镕基"],
    ["in GB18030, with four bytes a character", `=?GB18030?B?${b64("广告㐂𠀀", "gb18030")}?=`, "广告㐂𠀀"],
    ["in Big5", `=?Big5?B?${b64("廣告", "big5")}?=`, "廣告"],
    [
      "in windows-1258, letter and tone composed",
      "=?windows-1258?Q?Khuy=EA=ECn_m=E3i?=",
      "Khuyến măi".normalize("NFC"),
    ],
    ["in ISO-2022-JP", "=?ISO-2022-JP?B?GyRCOS05cBsoQg==?=", "広告"],
    ["in KOI8-R", "=?koi8-r?Q?=F7=F3?=", "ВС"],
    ["in Latin-1, as everybody means it", "=?iso-8859-1?Q?100_=80?=", "100 €"],
    ["with a language suffix", `=?utf-8*zh-CN?B?${b64("广告", "utf8")}?=`, "广告"],
    ["without blanks around it", `[list]=?utf-8?B?${b64("广告", "utf8")}?=!`, "[list]广告!"],
    ["with a question mark inside", "=?utf-8?Q?really?_yes?=", "really? yes"],
    ["with blanks inside", "=?utf-8?Q?two words?=", "two words"],
    ["with blanks inside base64", "=?utf-8?B?5bm/ 5ZGK?=", "广告"],
    ["in base64 without padding", "=?utf-8?B?QUQ?=", "AD"],
    ["in base64 padded piece by piece", "=?utf-8?B?QQ==RA==?=", "AD"],
    ["in base64 for URLs", "=?utf-8?B?5bm_5ZGK?=", "广告"],
    ["when it is empty", "=?utf-8?B??=AD", "AD"],
    ["when it begins with a byte order mark", `=?utf-8?B?${b64("\uFEFF广告", "utf8")}?=`, "广告"],
  ];
  it.each(cases)("%s", (_, value, text) => expect(decodeEncodedWords(value)).toBe(text));
});

describe("neighbouring words", () => {
  const [first, second] = ["=?utf-8?B?5bm/5Q==?=", "=?utf-8?B?kYo=?="];
  const cases: [title: string, value: string, text: string][] = [
    ["are one text: the blanks between them go", "=?utf-8?Q?A?= =?utf-8?Q?D?=", "AD"],
    ["are one text over a fold", "=?utf-8?Q?A?=\r\n\t =?utf-8?Q?D?=", "AD"],
    ["are one text without blanks", "=?utf-8?Q?A?==?utf-8?Q?D?=", "AD"],
    ["share a character cut in two", `${first} ${second}`, "广告"],
    ["share one in B and Q", "=?utf-8?B?5bm/5Q==?= =?UTF8?Q?=91=8A?=", "广告"],
    ["share one between two names of a charset", "=?gb2312?Q?=B9=E3=B8?= =?gbk?Q?=E6?=", "广告"],
    ["do not share one between two charsets", "=?utf-8?Q?=E5?= =?gbk?Q?=B9=E3?=", "\uFFFD广"],
    ["of different charsets are one text all the same", "=?utf-8?Q?A?= =?us-ascii?Q?D?=", "AD"],
    ["stay apart when text stands between them", "=?utf-8?Q?A?= - =?utf-8?Q?D?=", "A - D"],
    ["keep the blank before plain text", "=?utf-8?Q?A?= D", "A D"],
    ["keep the blank after plain text", "A =?utf-8?Q?D?=", "A D"],
  ];
  it.each(cases)("%s", (_, value, text) => expect(decodeEncodedWords(value)).toBe(text));
});

describe("what mail readers show as it stands stays as it stands", () => {
  const cases = [
    "plain text",
    "=?",
    "?=",
    "=?utf-8?Q?",
    "=?utf-8?Q?AD",
    "=?utf-8?X?AD?=",
    "=?utf-8?AD?=",
    "=??Q?AD?=",
    "=?utf-8?B?this is no base64!?=",
    "=1?UTF-8?B?QUQ=?=",
    "price=?what",
    `=?${"x".repeat(100)}?Q?AD?=`,
  ];
  it.each(cases)("%s", (value) => expect(decodeEncodedWords(value)).toBe(value));

  it("a word that was never closed does not swallow the next one", () =>
    expect(decodeEncodedWords("=?utf-8?Q?lost =?utf-8?Q?found?=")).toBe("=?utf-8?Q?lost found"));
});

describe("what cannot be read becomes U+FFFD", () => {
  const cases: [title: string, value: string, text: string][] = [
    ["an unknown charset keeps its ASCII", "=?x-nobody?Q?AD=E5=B9?=", "AD\uFFFD\uFFFD"],
    ["unknown-8bit too (RFC 1428)", "=?unknown-8bit?Q?AD=E5?=", "AD\uFFFD"],
    ["half a character", "=?utf-8?Q?=E5=B9?=", "\uFFFD"],
    ["half a character of GBK", "=?gbk?Q?=B9?=", "\uFFFD"],
    ["a conversion of iconv-lite's is no charset: base64", "=?base64?B?ADE=?=", "\u00001"],
    ["a conversion of iconv-lite's is no charset: hex", "=?hex?Q?=AD?=", "\uFFFD"],
    ["a name from Object.prototype", "=?constructor?Q?AD?=", "AD"],
    ["a name from Object.prototype, with bytes", "=?__proto__?Q?=AD?=", "=?__proto__?Q?=AD?="],
    ["base64 of one character", "=?utf-8?B?Q?=", ""],
  ];
  it.each(cases)("%s", (_, value, text) => expect(decodeEncodedWords(value)).toBe(text));

  it("a wrong = of Q stands for itself", () => expect(decodeEncodedWords("=?utf-8?Q?=4_=zz=?=")).toBe("=4 =zz="));
});

describe("bytes above 127 outside words are read", () => {
  const cases: [title: string, value: string, text: string][] = [
    ["as UTF-8 where they are UTF-8", bytes("广告 夏季", "utf8"), "广告 夏季"],
    ["as GB18030 where they are that", bytes("广告 夏季㐂", "gb18030"), "广告 夏季㐂"],
    ["as Latin-1 where they are neither", "caf\xe9 \xfc\xff", "café üÿ"],
    ["beside a word", `${bytes("广告", "gbk")} =?gbk?B?${b64("夏季", "gbk")}?=`, "广告 夏季"],
  ];
  it.each(cases)("%s", (_, value, text) => expect(decodeEncodedWords(value)).toBe(text));
});

describe("whatever the bytes", () => {
  const fragment = fc.constantFrom(
    "=?",
    "?=",
    "=?utf-8?B?",
    "=?gb2312?Q?",
    "=?iso-2022-jp?q?",
    "\x1b$B",
    "=B9",
    "5bm/",
    " ",
    "=",
    "?",
    "\xb9\xe3",
    "_",
  );
  const value = fc
    .array(fc.oneof(fragment, fc.string({ unit: "binary-ascii" })), { maxLength: 40 })
    .map((parts) => parts.join(""));

  it("it neither throws nor passes its bound", () =>
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 50 }), (text, charsMax) => {
        expect(decodeEncodedWords(text, { charsMax }).length).toBeLessThanOrEqual(charsMax);
        expect(typeof decodeEncodedWords(text)).toBe("string");
      }),
      { numRuns: 1000 },
    ));

  it("text written in words comes out as it was, wherever they are cut", () =>
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.integer({ min: 1, max: 20 }), (text, step) => {
        const whole = Buffer.from(text.replaceAll("\uFEFF", ""), "utf8");
        const words: string[] = [];
        for (let at = 0; at < whole.length; at += step) {
          words.push(`=?utf-8?B?${whole.subarray(at, at + step).toString("base64")}?=`);
        }
        expect(decodeEncodedWords(words.join("\r\n "))).toBe(whole.toString("utf8"));
      }),
    ));

  it("reads raw UTF-8 of any length as UTF-8", () =>
    expect(decodeEncodedWords(bytes("广告".repeat(100_000), "utf8"))).toBe("广告".repeat(DECODED_CHARS_MAX / 2)));

  it("does not cut a surrogate pair in two", () =>
    expect(decodeEncodedWords(`=?utf-8?B?${b64("a𠀀", "utf8")}?=`, { charsMax: 2 })).toBe("a"));

  // Each of them is quadratic in some plausible decoder: minutes. Here they take a tenth of a second.
  const MIB = 1_048_576;
  const hostile: [title: string, piece: string, tail: string][] = [
    ["openings", "=?", ""],
    ["openings without an end", "=?a?Q?", ""],
    ["openings with one end", "=?a?Q?", "?="],
    ["ends", "?=", ""],
    ["openings that are ends", "=?=", ""],
    ["empty words of unknown charsets", "=?a?Q??=", ""],
    ["words in turn of two charsets", "=?gbk?Q?a?==?big5?Q?b?=", ""],
    ["words cut inside base64", "=?gbk?B?uA?= ", ""],
    ["blanks between words", `=?a?Q?b?=${" ".repeat(1000)}`, ""],
    ["escapes", "\x1b$B\x1b(B", "=?iso-2022-jp?Q?x?="],
    ["padding", "A=", "?="],
    ["raw bytes between words", "\xb9\xe3=?a?Q?b?=", ""],
    ["raw bytes", "\xb9\xe3", "\xff"],
  ];
  it.each(hostile)("a MiB of %s takes less than a second", (_, piece, tail) => {
    const value = piece.repeat(Math.ceil(MIB / piece.length)) + tail;
    expect(decodeEncodedWords(value).length).toBeLessThanOrEqual(DECODED_CHARS_MAX);
    expect(cpuTimeMs(() => decodeEncodedWords(value))).toBeLessThan(1000);
  });
});

const CORPUS = join(import.meta.dirname, "../../../shared/corpus/charset-rfc2047");
const rows = (name: string): string[][] =>
  readFileSync(join(CORPUS, name), "utf8")
    .split("\n")
    .slice(1)
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));

/** Answers of the corpus come from Python; where ours differ, this is why. */
const NO_ANSWER = "the corpus has no answer for an unknown charset; its ASCII is shown";
const FOLDED = "a word folded in its middle: Python leaves it as it stands, mail readers show it";
const BLANK = "the blank between plain text and a word is part of the text (RFC 2047 6.2); Python drops it at a fold";
const RAW = "raw UTF-8 beside a word: Python gives up, mail readers show it";
const DEVIATIONS: Readonly<Record<string, string>> = {
  ...fromList(NO_ANSWER, "real-unknown-8bit-", "001 003 008 009 011 012"),
  ...fromList(FOLDED, "zh-lists-modern/linaro-mm-sig-", "5cffe7acd1.eml e25a67a0fd.eml df1902940e.eml 1468274d23.eml"),
  ...fromList(FOLDED, "zh-lists-modern/linaro-mm-sig-", "fa89737d91.eml 4a59320429.eml 9779f8532a.eml 1c061f70f6.eml"),
  ...fromList(FOLDED, "zh-lists-modern/linaro-mm-sig-", "4df3eb4053.eml 249aa6753d.eml 6927540550.eml"),
  ...fromList(BLANK, "zh-lists-modern/", "linux-rockchip-a86a233b89.eml industrypack-devel-9c716e6ea8.eml"),
  ...fromList(BLANK, "zh-lists-modern/", "openipmi-developer-90e0328c1a.eml ltp-b50b044642.eml"),
  ...fromList(RAW, "ja-confusion/", "osst-users-0ad06dc3ff.eml"),
};

function fromList(reason: string, prefix: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(" ").map((name) => [prefix + name, reason]));
}

/** Undoes Python's unicode_escape of the bytes of a header. */
const ESCAPED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\" };
const unescaped = (text: string): Buffer =>
  Buffer.from(
    text.replace(/\\x([0-9a-f]{2})|\\([nrt\\])/g, (_, hex?: string, plain?: string) =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPED[plain ?? ""] ?? ""),
    ),
    "latin1",
  );

describe.skipIf(!existsSync(CORPUS))("corpus charset-rfc2047 (beside the checkout)", () => {
  const expectAnswers = (cases: { id: string; value: string; answer: string }[]): void => {
    const differing = cases.filter(({ value, answer }) => decodeEncodedWords(value).normalize("NFC") !== answer);
    const listed = cases.filter(({ id }) => id in DEVIATIONS);
    expect(differing.map(({ id }) => id)).toEqual(listed.map(({ id }) => id));
  };

  it("encoded words of 30 charsets decode as its answers say", () => {
    const cases = rows("encoded-words.tsv").map(([id = "", , , word = "", answer = ""]) => ({
      id,
      value: word,
      answer,
    }));
    expect(cases.length).toBeGreaterThan(200);
    expectAnswers(cases);
  });

  it("whole Subjects decode as its answers say", () => {
    const cases = rows("subject-headers.tsv").map(([id = "", raw = "", answer = ""]) => ({
      id,
      value: Headers.parse(unescaped(raw)).first("subject") ?? "",
      answer,
    }));
    expect(cases.length).toBeGreaterThan(200);
    expectAnswers(cases);
  });
});
