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
  const runs = new Set<number>();
  for (let at = 0; at + RUN <= tokens.length; at += 1) {
    let hash = SEED;
    for (let next = at; next < at + RUN; next += 1) hash = step(hash, tokens[next] as number);
    runs.add(finish(hash));
  }
  return runs.size < PRINT.runsMin ? [] : keysOf(smallest(runs));
}

const HAN = /[\u3400-\u9fff\u3040-\u30ff]/;
/** Words of letters, or single Chinese characters. What changes from copy to copy (digits, links, addresses, signs) is none. */
const TOKEN = /[\u3400-\u9fff\u3040-\u30ff]|[a-z\u00df-\u024f\u0370-\u1fff\uac00-\ud7af]{2,}/g;

function tokensOf(text: string): number[] {
  const tokens: number[] = [];
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.length > 24) continue;
    let hash = SEED;
    for (let at = 0; at < token.length; at += 1) hash = step(hash, token.charCodeAt(at));
    tokens.push(HAN.test(token) ? step(hash, 7) : hash);
  }
  return tokens;
}

function smallest(runs: ReadonlySet<number>): Uint32Array {
  const minima = new Uint32Array(HASHES).fill(0xffffffff);
  for (const run of runs) {
    for (let family = 0; family < HASHES; family += 1) {
      const hash = finish(Math.imul(run, 2 * family + 0x9e3779b1) ^ (family * 0x85ebca6b));
      if (hash < (minima[family] as number)) minima[family] = hash;
    }
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
