/**
 * A fuzzy fingerprint of what a mail says: a few keys that copies of one text share although names, numbers and links
 * differ. Overlapping runs of words (of characters in Chinese) are hashed, the smallest hash of each of some families
 * kept (minhash), and groups of them joined into keys: two mails share a key with probability J^rows, J being the
 * share of runs they have in common. Whoever counts, counts each key and takes the second largest count, so that one
 * chance meeting does not matter.
 */
import { finish, SEED, step } from "./hashing.ts";
import type { Wording } from "./normal.ts";

export const PRINT = Object.freeze({
  /** Keys of one mail. */
  bands: 6,
  /** Minhashes joined in each: two of six keys are shared with J = 0.9 nearly always, J = 0.8 by 0.90, J = 0.5 by 0.17, J = 0.2 by 0.001. */
  rows: 3,
  /** Distinct runs below which a text is too short to be told from others: no fingerprint. */
  runsMin: 12,
  /** Characters of the body that count. */
  charsMax: 6_000,
});

/** Tokens of one run. */
const RUN = 3;
const HASHES = PRINT.bands * PRINT.rows;

/** Keys such as "0:3f9a12c407"; none for a text that is too short. The same wording gives the same keys on every node. */
export function fingerprintOf({ subject, body }: Wording): string[] {
  const tokens = tokensOf(`${subject}\n${body.slice(0, PRINT.charsMax)}`);
  const runs = new Uint32Array(Math.max(0, tokens.length - RUN + 1));
  for (let at = 0; at < runs.length; at += 1) {
    let hash = SEED;
    for (let next = at; next < at + RUN; next += 1) hash = step(hash, tokens[next] as number);
    runs[at] = finish(hash);
  }
  return isTooShort(runs) ? [] : keysOf(smallest(runs));
}

/** Fewer distinct runs than it takes. */
function isTooShort(runs: Uint32Array): boolean {
  const distinct = new Set<number>();
  for (const run of runs) if (distinct.add(run).size >= PRINT.runsMin) return false;
  return true;
}

/** Longer words are none that anybody wrote. */
const WORD_CHARS_MAX = 24;

const isHan = (code: number): boolean => (code >= 0x3400 && code <= 0x9fff) || (code >= 0x3040 && code <= 0x30ff);
const isLetter = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 0xdf && code <= 0x24f) ||
  (code >= 0x370 && code <= 0x1fff) ||
  (code >= 0xac00 && code <= 0xd7af);

/** Words of letters, or single Chinese characters. What changes from copy to copy (digits, links, addresses, signs) is none. */
function tokensOf(text: string): number[] {
  const tokens: number[] = [];
  for (let at = 0; at < text.length; ) {
    let hash = SEED;
    const start = at;
    let code = text.charCodeAt(at);
    if (isHan(code)) tokens.push(step(step(SEED, code), 7));
    while (at < text.length && isLetter(code)) {
      hash = step(hash, code);
      at += 1;
      code = text.charCodeAt(at);
    }
    const length = at - start;
    if (length >= 2 && length <= WORD_CHARS_MAX) tokens.push(hash);
    if (length === 0) at += 1;
  }
  return tokens;
}

function smallest(runs: Uint32Array): Uint32Array {
  const minima = new Uint32Array(HASHES);
  for (let family = 0; family < HASHES; family += 1) {
    const factor = 2 * family + 0x9e3779b1;
    const salt = family * 0x85ebca6b;
    let least = 0xffffffff;
    for (let at = 0; at < runs.length; at += 1) {
      const hash = finish(Math.imul(runs[at] as number, factor) ^ salt);
      if (hash < least) least = hash;
    }
    minima[family] = least;
  }
  return minima;
}

function keysOf(minima: Uint32Array): string[] {
  const keys: string[] = [];
  for (let band = 0; band < PRINT.bands; band += 1) {
    let low = SEED;
    let high = step(SEED, band + 1);
    for (let row = 0; row < PRINT.rows; row += 1) {
      const hash = minima[band * PRINT.rows + row] as number;
      low = step(low, hash);
      high = step(high, hash ^ 0x5bd1e995);
    }
    keys.push(
      `${band}:${finish(low).toString(16).padStart(8, "0")}${(finish(high) & 255).toString(16).padStart(2, "0")}`,
    );
  }
  return keys;
}

/** The count that stands for a mail, given how many distinct recipients (or senders) each of its keys has met. */
export function countOf(counts: readonly number[]): number {
  const sorted = [...counts].sort((a, b) => b - a);
  return sorted[1] ?? sorted[0] ?? 0;
}
