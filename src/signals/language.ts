/** Which language a mail's words are in, by script and a few frequent syllables: enough to know where the model may speak. */
import type { Wording } from "./normal.ts";

export type Language = "zh" | "vi" | "latin" | "other";

/** Characters looked at. */
const SAMPLE_CHARS = 4_000;
/** Share of kana among East Asian characters from which text is Japanese; Chinese quoting a Japanese name stays below. */
const KANA_SHARE_MIN = 0.1;

/** Frequent Vietnamese syllables without their marks that are no frequent English words. */
const VIETNAMESE = new Set(
  "khong cua duoc nguoi nhung trong quy khach cac mot cho voi ngay vui long anh chi em ban thong bao gui nhan dang ky"
    .split(" ")
    .map((word) => [...word].reduce((key, letter) => keyOf(key, letter.charCodeAt(0)), 0)),
);

/** A word of up to five letters a to z as one number; longer ones run into each other and are none of these. */
function keyOf(key: number, code: number): number {
  return key * 27 + code - 96;
}
const SYLLABLE_CHARS_MAX = 5;

/**
 * `latin` is English for all the model knows; text of other languages in Latin letters is judged as if it were, which
 * finds little in it. `other`: Japanese, Korean, Cyrillic, Arabic, Thai and whatever else has letters of its own.
 *
 * @param marked the text as it was written, where marks may tell; else nothing
 */
export function languageOf({ subject, body }: Wording, marked: string): Language {
  const count = { han: 0, kana: 0, latin: 0, other: 0, syllables: 0 };
  countIn(subject, count);
  countIn(body.slice(0, SAMPLE_CHARS), count);
  const east = count.han + count.kana;
  // One Chinese character says about as much as two letters.
  const letters = 2 * east + count.latin + count.other;
  if (count.other * 2 > letters) return "other";
  if (east * 2 > letters * 0.3) return count.kana > east * KANA_SHARE_MIN ? "other" : "zh";
  return count.syllables * 40 > count.latin || isMarkedVietnamese(marked) ? "vi" : "latin";
}

interface Count {
  han: number;
  kana: number;
  latin: number;
  other: number;
  /** Frequent Vietnamese ones. */
  syllables: number;
}

/** One pass: what of this text is read for every mail has to be cheap. */
function countIn(text: string, count: Count): void {
  let key = 0;
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 97 && code <= 122) {
      count.latin += 1;
      length += 1;
      if (length <= SYLLABLE_CHARS_MAX) key = keyOf(key, code);
      continue;
    }
    if (length > 0 && length <= SYLLABLE_CHARS_MAX && VIETNAMESE.has(key)) count.syllables += 1;
    key = 0;
    length = 0;
    if (code >= 0xc0) countOther(code, count);
  }
  if (length > 0 && length <= SYLLABLE_CHARS_MAX && VIETNAMESE.has(key)) count.syllables += 1;
}

function countOther(code: number, count: Count): void {
  if (code < 0x370) count.latin += 1;
  else if ((code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf)) count.han += 1;
  else if (code >= 0x3040 && code <= 0x30ff) count.kana += code >= 0x30fb && code <= 0x30fc ? 0 : 1;
  else if (code <= 0x1dff || (code >= 0xac00 && code <= 0xd7af)) count.other += 1;
}

/** Letters that only Vietnamese writes, or hardly anybody else. */
const VIETNAMESE_LETTER = /[ăđơưĂĐƠƯ\u1ea0-\u1ef9]/g;
const NOT_ASCII = /[^\x00-\x7f]/;

function isMarkedVietnamese(text: string): boolean {
  const sample = text.slice(0, SAMPLE_CHARS);
  return NOT_ASCII.test(sample) && (sample.match(VIETNAMESE_LETTER)?.length ?? 0) * 25 > sample.length;
}
