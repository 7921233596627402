/** Which language a mail's words are in, by script and a few frequent syllables: enough to know where the model may speak. */
import type { Wording } from "./normal.ts";

export type Language = "zh" | "vi" | "latin" | "other";

/** Characters looked at. */
const SAMPLE_CHARS = 4_000;
/** Share of kana among East Asian characters from which text is Japanese; Chinese quoting a Japanese name stays below. */
const KANA_SHARE_MIN = 0.1;

/** Frequent Vietnamese syllables without their marks that are no frequent English words. */
const VIETNAMESE =
  /\b(?:khong|cua|duoc|nguoi|nhung|trong|quy|khach|cac|mot|cho|voi|ngay|vui|long|anh|chi|em|ban|thong|bao|gui|nhan|dang|ky)\b/g;

/**
 * `latin` is English for all the model knows; text of other languages in Latin letters is judged as if it were, which
 * finds little in it. `other`: Japanese, Korean, Cyrillic, Arabic, Thai and whatever else has letters of its own.
 */
export function languageOf({ subject, body }: Wording): Language {
  const sample = `${subject}\n${body.slice(0, SAMPLE_CHARS)}`;
  const count = { han: 0, kana: 0, latin: 0, other: 0, none: 0 };
  for (let at = 0; at < sample.length; at += 1) count[scriptOf(sample.charCodeAt(at))] += 1;
  const east = count.han + count.kana;
  // One Chinese character says about as much as two letters.
  const letters = 2 * east + count.latin + count.other;
  if (count.other * 2 > letters) return "other";
  if (east * 2 > letters * 0.3) return count.kana > east * KANA_SHARE_MIN ? "other" : "zh";
  return (sample.match(VIETNAMESE)?.length ?? 0) * 40 > count.latin ? "vi" : "latin";
}

function scriptOf(code: number): "han" | "kana" | "latin" | "other" | "none" {
  if (code < 0x370) return (code >= 97 && code <= 122) || code >= 0xc0 ? "latin" : "none";
  if ((code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf)) return "han";
  if (code >= 0x3040 && code <= 0x30ff) return code >= 0x30fb && code <= 0x30fc ? "none" : "kana";
  const letter = code <= 0x1dff || (code >= 0xac00 && code <= 0xd7af);
  return letter ? "other" : "none";
}
