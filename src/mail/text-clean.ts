/**
 * Characters as a reader takes them: compatibility forms folded (NFKC), invisible characters taken out, letters that
 * only look Latin written in Latin. How many there were is told, because honest mail rarely has them inside words.
 */

export interface Cleaned {
  readonly text: string;
  /** Invisible characters between two letters. Padding between words, as newsletters use it, does not count. */
  readonly zeroWidth: number;
  /** Letters replaced because they stand in for another one. */
  readonly lookAlikes: number;
}

/** Soft hyphen, zero width, bidi controls, fillers, selectors, tags: all that Unicode says shows nothing. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}+/gu;
const LETTER = /^\p{L}$/u;

/** Cyrillic and Greek letters with a Latin twin. */
const TWINS = new Map<string, string>(
  Object.entries({
    а: "a",
    е: "e",
    о: "o",
    р: "p",
    с: "c",
    у: "y",
    х: "x",
    і: "i",
    ѕ: "s",
    ј: "j",
    ԁ: "d",
    ɡ: "g",
    һ: "h",
    ѵ: "v",
    ԛ: "q",
    ԝ: "w",
    А: "A",
    В: "B",
    Е: "E",
    К: "K",
    М: "M",
    Н: "H",
    О: "O",
    Р: "P",
    С: "C",
    Т: "T",
    У: "Y",
    Х: "X",
    І: "I",
    Ѕ: "S",
    Ј: "J",
    Ԍ: "G",
    ο: "o",
    α: "a",
    ν: "v",
    ι: "i",
    κ: "k",
    ρ: "p",
    τ: "t",
    υ: "u",
    ε: "e",
    Α: "A",
    Β: "B",
    Ε: "E",
    Ζ: "Z",
    Η: "H",
    Ι: "I",
    Κ: "K",
    Μ: "M",
    Ν: "N",
    Ο: "O",
    Ρ: "P",
    Τ: "T",
    Υ: "Y",
    Χ: "X",
    ı: "i",
    ⅼ: "l",
    ո: "n",
    ս: "u",
    օ: "o",
    հ: "h",
  }),
);
const SUSPECT = /[\u0370-\u052F\u0561-\u0587\u0131\u0261]/;
/** Words in which Latin and a script of twins stand together; of bounded length, so that the search stays linear. */
const MIXED = /[\p{L}\p{M}]{2,40}/gu;
/** Mathematical alphanumerics, circled and squared letters: folded by NFKC, and counted. Full width is ordinary in East Asian text. */
const STYLED = /[\u24B6-\u24E9]|\uD835[\uDC00-\uDFFF]|\uD83C[\uDD30-\uDD89]/g;

const ASCII_ONLY = /^[\x00-\x7f]*$/;
/** More marks on one letter than any script writes: sorting them (NFKC does) costs the square of their number. */
const HEAPED_MARKS = /(\p{M}{8})\p{M}+/gu;

/** Cleans a text; linear in its length. */
export function cleanText(raw: string): Cleaned {
  if (ASCII_ONLY.test(raw)) return { text: raw, zeroWidth: 0, lookAlikes: 0 };
  let zeroWidth = 0;
  const visible = raw.replace(INVISIBLE, (run, at: number) => {
    if (LETTER.test(raw[at - 1] ?? "") && LETTER.test(raw[at + run.length] ?? "")) zeroWidth += 1;
    return "";
  });
  let lookAlikes = count(raw, STYLED);
  let text = visible.replace(HEAPED_MARKS, "$1").normalize("NFKC");
  if (SUSPECT.test(text)) {
    const latin = text.replace(MIXED, (word) => {
      const untwinned = untwin(word);
      if (untwinned !== word) lookAlikes += 1;
      return untwinned;
    });
    if (latin !== text) text = latin.normalize("NFC");
  }
  return { text, zeroWidth, lookAlikes };
}

function count(text: string, pattern: RegExp): number {
  let found = 0;
  for (const _ of text.matchAll(pattern)) found += 1;
  return found;
}

/** Only words that mix scripts are touched: a Russian or Greek word stays what it is. */
function untwin(word: string): string {
  if (!SUSPECT.test(word) || !/[a-zA-Z]/.test(word)) return word;
  let latin = "";
  for (const letter of word) latin += TWINS.get(letter) ?? letter;
  return latin;
}
