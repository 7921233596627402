/**
 * The Subject as its reader sees it, and the form in which a label hidden from machines shows. The matcher
 * (law/label.ts) compares the first with the letters of the law, and uses the second only to tell what was tried.
 */
import { decodeEncodedWords } from "./encoded-words.ts";
import type { Headers } from "./headers.ts";

/** Every rule and every pack asks for the Subject of the same mail. */
const decoded = new WeakMap<Headers, string>();

/**
 * The topmost Subject: decoded, NFC, controls and line ends each run to one space, no blanks at either end. "" when there is
 * none. Cheap: asked again for the same headers it is remembered.
 */
export function decodedSubject(headers: Headers): string {
  const known = decoded.get(headers);
  if (known !== undefined) return known;
  const text = readSubject(headers.first("subject") ?? "");
  decoded.set(headers, text);
  return text;
}

/** The same for a value that is not in a header block: unfolded, one character a byte. */
export function readSubject(value: string): string {
  const text = PLAIN.test(value) && !value.includes("=?") ? value : tidy(decodeEncodedWords(value).normalize("NFC"));
  return trimBlanks(text);
}

const PLAIN = /^[\x20-\x7e]*$/;
const BLANK_RUN = /[\x00-\x20\x7f-\x9f\u2028\u2029]+/g;

/** Runs of plain spaces stay as they are: they were written. */
const tidy = (text: string): string => text.replace(BLANK_RUN, (run) => (/^ +$/.test(run) ? run : " "));

/** Spaces only: other blanks are characters of the Subject. Two loops, because ` +$` would be quadratic. */
function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === " ") start += 1;
  while (end > start && text[end - 1] === " ") end -= 1;
  return text.slice(start, end);
}

/**
 * The text with everything undone that makes a machine read other letters than a person: compatibility forms (full
 * width, circled, mathematical: NFKC), characters that show nothing, and letters of other scripts in the shape of Latin
 * ones. For telling what was tried, never for accepting a label.
 */
export function foldForLabel(text: string): string {
  if (PLAIN.test(text)) return text;
  return withoutInvisible(text.normalize("NFKC")).replace(LOOK_ALIKE, (letter) => LATIN.get(letter) ?? letter);
}

/**
 * Characters that show nothing: zero-width spaces and joiners, BOM, soft hyphen, word joiner, bidi controls, variation
 * selectors, tags, Hangul fillers (all Default_Ignorable_Code_Point), interlinear marks and the empty Braille cell.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB\u2800]+/gu;

export const withoutInvisible = (text: string): string => text.replace(INVISIBLE, "");

/**
 * Letters that pass for those of Latin labels (A C D Q V, and a c d q v), after NFKC: Cyrillic, Greek, Coptic, Cherokee,
 * Canadian syllabics, Lisu, Old Italic, Carian, small capitals, stroked Latin. Shapes after Unicode TS 39.
 */
const SHAPES: Readonly<Record<string, string>> = {
  A: "\u0410\u0391\u13AA\u15C5\uA4EE\u1D00\u2C6F\u023A\u{102A0}\u{16F40}",
  C: "\u0421\u03F9\u13DF\uA4DA\u1D04\u2CA4\u0186\u{102A2}\u{10302}\u{10415}",
  D: "\u0500\u13A0\u15DE\u15EA\uA4D3\u1D05\u0110\u00D0\u0189",
  Q: "\u051A\u2D55",
  V: "\u0474\u13D9\u142F\uA4E6\u1D20\u2D38\u0667\u06F7\u2228",
  a: "\u0430\u03B1\u0251",
  c: "\u0441\u03F2\u2CA5",
  d: "\u0501\u13E7\u0111",
  q: "\u051B\u0566",
  v: "\u0475\u03BD",
};

const LATIN = new Map(Object.entries(SHAPES).flatMap(([latin, shapes]) => [...shapes].map((shape) => [shape, latin])));
const LOOK_ALIKE = new RegExp(`[${[...LATIN.keys()].join("")}]`, "gu");
