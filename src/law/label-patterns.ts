/**
 * A label text of a pack to the regular expressions that find it. Each stands under the Subjects it was written for, and
 * those are tests. Label texts are taken literally; repeats are bounded or cannot overlap, so that a Subject of any length
 * takes linear time.
 */

/** Where a management code stands in a label text. */
export const CODE = "{code}";
const INVISIBLE = "\\p{Default_Ignorable_Code_Point}";
/** Letters of a script with upper and lower case: they run together to words. */
const CASED = "[\\p{Lu}\\p{Ll}\\p{Lt}]";
/** Letters that would make a longer word of one: all but those of scripts in which words stand without blanks. */
const JOINING = "[\\p{L}--[\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{scx=Hangul}\\p{scx=Bopomofo}]]";

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** The label text as a pattern, with the code as a group. */
function literal(text: string, codePattern = ""): string {
  return text.normalize("NFC").split(CODE).map(escaped).join(`(?<code>${codePattern})`);
}

/**
 * `AD` is a word by itself and no part of one; hidden characters do not end it.
 * Found: "AD夏季", "AD2026", "AD: x", "AD-x". Not: "Adobe", "ADVERT", "AD\u043Ebe" (Cyrillic о), "AD\uA4E6" (Lisu, looks like V),
 * "AD\u200BVANCE", "AD\u0301".
 * 广告 has no case and needs no end: "广告Apple新品" is found.
 */
function wordEnd(text: string): string {
  if (!new RegExp(`${CASED}$`, "v").test(text)) return "";
  return `(?!${INVISIBLE}*${JOINING}|[\\p{M}--${INVISIBLE}])`;
}

/**
 * Position "exact": the Subject begins with the label, to the letter.
 * Found: "[QC] Sale", "[QC]Sale", "[ADV] Sale", "[QC 1231] Sale", "[ADV AB91]".
 * Not: "[qc]", "(QC)", "QC: Sale", "[ QC ]", "[QC1231]", "[QC 1232]", "［QC］", "Re: [QC]", "[Q\u200bC]", "[QС]" (Cyrillic С).
 */
export const toTheLetter = (text: string, codePattern?: string): RegExp =>
  new RegExp(`^${literal(text, codePattern)}${wordEnd(text)}`, "v");

/** One opening bracket or quotation mark of either world: ( [ { 【 （ 〈 《 「 『 〔 〖 “ ‘ « and < " '. */
const OPENING = "[\\p{Ps}\\p{Pi}<\"'＜]";

/**
 * Position "front": the words stand first. White space before them and one bracket are the writer's choice, and what
 * follows is his business, but for `wordEnd`.
 * Found: "广告 夏季", "广告：x", "【广告】x", "[AD] x", "（AD）x", "AD: x", "AD：x", "AD夏季", "\u3000广告", "<AD> x", "“广告”x".
 * Found in other forms of the letters (NFKC): "ＡＤ x", "ＡＤ：x", "［ＡＤ］x".
 * Not: "Re: 广告", "[list] 广告", "★广告", "ad: x", "廣告", "广 告", "A D", "А D" and "АD" (Cyrillic А), "广\u200b告", "\u200bAD".
 */
export const atFront = (text: string, codePattern?: string): RegExp =>
  new RegExp(`^\\p{White_Space}*(?:${OPENING}\\p{White_Space}*)?${literal(text, codePattern)}${wordEnd(text)}`, "v");

/**
 * The letters of a label with other signs before and between them.
 * Samples: "(QC) x", "【QC】", "QC: x", "[ QC ] x", "[QC1231]", "★广告★", "广 告", "A.D.", "(광.고)".
 */
export function loosely(text: string, codePattern = ""): RegExp[] {
  const letters = text.replace(CODE, "").match(/[\p{L}\p{N}]/gu);
  if (!letters) return [];
  const sign = "[\\p{White_Space}\\p{P}\\p{S}]";
  const code = text.includes(CODE) ? `${sign}{0,2}(?:${codePattern})` : wordEnd(letters.join(""));
  return [new RegExp(`^${sign}{0,8}${letters.join(`${sign}{0,2}`)}${code}`, "v")];
}

/** The label itself, anywhere, not inside a word. */
export function anywhere(text: string, codePattern?: string): RegExp {
  const start = new RegExp(`^${CASED}`, "v").test(text) ? `(?<!${JOINING})` : "";
  return new RegExp(`${start}${literal(text, codePattern)}${wordEnd(text)}`, "v");
}
