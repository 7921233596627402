/**
 * How a message without a Subject is written (a text message, a comment): it has few words, so that its manner has to
 * weigh. Of mail, which has a Subject, nothing of this is asked.
 */
import { hashText, step } from "./hashing.ts";
import { add, addFixed } from "./sparse.ts";

/** Characters whose capitals, digits and signs are counted. */
const CHARS_MAX = 12_000;

/** Value of each sign of how a message without a Subject is written: few words, so that its manner weighs. */
const MANNER_VALUE = 0.5;
/** Lengths told apart, each longer by the root of two than the one before. */
const LENGTHS = 12;
const LENGTH_MIN = 25;

/** How a short message is written: length, capitals, digits, signs. Of mail, which has a Subject, it says nothing. */
export function addManner(text: string, namespace: number): void {
  const sign = (name: string): void => addFixed(hashText(name, namespace), MANNER_VALUE);
  for (let index = 0; index < LENGTHS; index += 1)
    if (text.length > LENGTH_MIN * 2 ** (index / 2)) sign(`longer ${index}`);
  const sample = text.slice(0, CHARS_MAX);
  const count = (pattern: RegExp): number => sample.match(pattern)?.length ?? 0;
  const capitals = count(/\p{Lu}/gu);
  const tenths = (part: number, whole: number, parts: number): number =>
    Math.min(8, Math.round((parts * part) / (whole + 1)));
  sign(`capitals ${tenths(capitals, capitals + count(/\p{Ll}/gu), 10)}`);
  sign(`digits ${tenths(count(/\d/g), sample.length, 20)}`);
  sign(`signs ${tenths(count(/[^\p{L}\p{N}\s]/gu), sample.length, 20)}`);
  sign(`lines ${Math.min(5, sample.split("\n").length)}`);
  sign(/^\p{Lu}/u.test(sample) ? "begins large" : /^\p{Ll}/u.test(sample) ? "begins small" : "begins otherwise");
  sign(/[\u00c0-\u1eff]/.test(sample) ? "marks" : "no marks");
  if (/\p{Extended_Pictographic}/u.test(sample)) sign("emoji");
  if (/\d{8,}/.test(sample.replace(/[ .]/g, ""))) sign("number to call");
}

/** Characters of a message without a Subject whose marks are looked at. */
const MARKED_CHARS_MAX = 4_000;

/**
 * Words and signs of a short message as they were written, and pairs of neighbours: who leaves the marks out, and who
 * puts signs inside words. Blanks before a sign are the habit of who prepared a collection, and are left out.
 */
export function addMarked(text: string, namespace: number): void {
  const plain = text
    .slice(0, MARKED_CHARS_MAX)
    .replace(/ +(?=[.,!?;:)])/g, "")
    .toLowerCase()
    .replace(/\d/g, "0");
  let before = 0;
  for (const [token] of plain.matchAll(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)) {
    const hash = hashText(token, namespace);
    add(hash, 1, true);
    if (before !== 0) add(step(step(before, 0x3b), hash), 1, true);
    before = hash;
  }
}
