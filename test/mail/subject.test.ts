import { describe, expect, it } from "vitest";
import { Headers } from "../../src/mail/headers.ts";
import { decodedSubject, foldForLabel, readSubject, withoutInvisible } from "../../src/mail/subject.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

const subjectOf = (block: string, encoding: BufferEncoding = "latin1"): string =>
  decodedSubject(Headers.parse(Buffer.from(block, encoding)));

describe("the Subject as its reader sees it", () => {
  const cases: [title: string, block: string, text: string][] = [
    ["plain", "Subject: Sale\r\n\r\n", "Sale"],
    ["none at all", "From: a@b.example\r\n\r\n", ""],
    ["empty", "Subject:\r\n\r\n", ""],
    ["nothing but blanks", "Subject:  \t \r\n\r\n", ""],
    ["the topmost of two", "Subject: one\r\nSubject: two\r\n\r\n", "one"],
    ["encoded", "Subject: =?gb2312?B?ueO45g==?= sale\r\n\r\n", "广告 sale"],
    ["folded, with the tab of the fold as a space", "Subject: one\r\n\ttwo\r\n\r\n", "one two"],
    ["folded between words", "Subject: =?utf-8?B?5bm/?=\r\n =?utf-8?B?5ZGK?=\r\n\r\n", "广告"],
    ["blanks at both ends, encoded", "Subject: =?utf-8?Q?_=09_[QC]_Sale__?=\r\n\r\n", "[QC] Sale"],
    ["two spaces that were written stay two", "Subject: one  two\r\n\r\n", "one  two"],
    ["line ends brought in by encoding are one space", "Subject: =?utf-8?Q?one=0D=0A_two?=\r\n\r\n", "one two"],
    ["other controls too", "Subject: =?utf-8?Q?one=00=07=C2=85two?=\r\n\r\n", "one two"],
    ["line separators too", "Subject: =?utf-8?Q?one=E2=80=A8two?=\r\n\r\n", "one two"],
    ["letters and tones composed (NFC)", "Subject: =?utf-8?Q?e=CC=82=CC=81?=\r\n\r\n", "ế"],
    ["full width stays full width", "Subject: =?utf-8?Q?=EF=BC=A1=EF=BC=A4?=\r\n\r\n", "ＡＤ"],
    ["an ideographic space at the front stays", "Subject: =?utf-8?Q?=E3=80=80AD?=\r\n\r\n", "\u3000AD"],
    ["not decoded twice", "Subject: =?utf-8?Q?=3D=3Futf-8=3FQ=3FAD=3F=3D?=\r\n\r\n", "=?utf-8?Q?AD?="],
  ];
  it.each(cases)("%s", (_, block, text) => expect(subjectOf(block)).toBe(text));

  it("raw, in UTF-8", () => expect(subjectOf("Subject: 广告 夏季\r\n\r\n", "utf8")).toBe("广告 夏季"));

  it("is remembered for the same headers", () => {
    const headers = Headers.parse(Buffer.from(`Subject: =?utf-8?B?${"5bm/".repeat(4000)}?=\r\n\r\n`));
    const first = decodedSubject(headers);
    expect(first).toHaveLength(4000);
    const again = cpuTimeMs(() => {
      for (let asked = 0; asked < 10_000; asked += 1) decodedSubject(headers);
    });
    expect(again).toBeLessThan(200);
  });

  it("has no blanks at its ends, nor controls inside, whatever comes", () => {
    for (let code = 0; code < 0x100; code += 1) {
      const char = String.fromCharCode(code);
      expect(readSubject(`${char}a${char}b${char}`)).not.toMatch(/^ | $|[\x00-\x1f\x7f-\x9f]/);
    }
  });
});

describe("the folded form", () => {
  const cases: [text: string, folded: string][] = [
    ["plain ASCII", "plain ASCII"],
    ["ＡＤ：夏季", "AD:夏季"],
    ["［ＱＣ］", "[QC]"],
    ["ⒶⒹ 𝐀𝐃 ᴬᴰ", "AD AD AD"],
    ["广\u200B告", "广告"],
    ["А\u0500", "AD"],
    ["ΑD", "AD"],
    ["Ꭺᗪꓦ", "ADV"],
    ["[\u051AС]", "[QC]"],
    ["ad а\u0501", "ad ad"],
    ["Khuyến mãi", "Khuyến mãi"],
    ["\u0430\u0431\u0432", "a\u0431\u0432"],
  ];
  it.each(cases)("%s → %s", (text, folded) => expect(foldForLabel(text)).toBe(folded));

  const invisible: [name: string, char: string][] = [
    ["zero-width space", "\u200B"],
    ["zero-width non-joiner", "\u200C"],
    ["zero-width joiner", "\u200D"],
    ["byte order mark", "\uFEFF"],
    ["soft hyphen", "\u00AD"],
    ["word joiner", "\u2060"],
    ["left-to-right mark", "\u200E"],
    ["right-to-left override", "\u202E"],
    ["first strong isolate", "\u2068"],
    ["variation selector", "\uFE0F"],
    ["supplementary variation selector", "\u{E0100}"],
    ["tag", "\u{E0041}"],
    ["Hangul filler", "\u3164"],
    ["half-width Hangul filler", "\uFFA0"],
    ["Hangul choseong filler", "\u115F"],
    ["combining grapheme joiner", "\u034F"],
    ["Mongolian vowel separator", "\u180E"],
    ["Khmer inherent vowel", "\u17B4"],
    ["invisible times", "\u2062"],
    ["Arabic letter mark", "\u061C"],
    ["interlinear anchor", "\uFFF9"],
    ["empty Braille cell", "\u2800"],
  ];
  it.each(invisible)("has no %s", (_, char) => {
    expect(foldForLabel(`广${char}告`)).toBe("广告");
    expect(withoutInvisible(`A${char}${char}D`)).toBe("AD");
  });
});
