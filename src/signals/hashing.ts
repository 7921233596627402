/** Hashes for features and fingerprints: FNV-1a steps and a finishing mix, 32 bits, the same on every machine. */

/** Where every hash begins. */
export const SEED = 0x811c9dc5;

/** Takes one more code unit or number into a hash. */
export const step = (hash: number, value: number): number => Math.imul(hash ^ value, 0x01000193);

/** Spreads a hash over all its bits. @returns an unsigned 32-bit integer */
export function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x7feb352d);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Hash of a short text. */
export function hashText(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1) hash = step(hash, text.charCodeAt(at));
  return hash;
}
