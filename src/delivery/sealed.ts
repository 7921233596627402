/** What addresses of ours that lead back somewhere are sealed with, so that nobody else can make one: a short seal, and the day in two characters. */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface Sealing {
  /** Eight characters that nobody without the secret knows; upper and lower case are the same to it. */
  seal(text: string): string;
  isSealed(text: string, given: string): boolean;
  /** Some characters that stand for a text. */
  digest(text: string, characters: number): string;
  /** Today in two characters, which come round again after 1024 days. */
  today(): string;
  /** Days ago, as far as two characters tell. */
  ageOf(written: string): number;
}

const DAY_MS = 86_400_000;
const ROUND = 1024;
const DIGITS = "abcdefghijklmnopqrstuvwxyz234567";
const SEAL_CHARACTERS = 8;

/** @param word keeps seals of one kind of address from being taken for those of another */
export function createSealing(word: string, secret: Buffer, nowMs: () => number): Sealing {
  const digest = (text: string, characters: number): string => {
    const hash = createHmac("sha256", secret).update(`${word} ${text}`).digest();
    return Array.from(hash.subarray(0, characters), (byte) => DIGITS[byte % 32]).join("");
  };
  const seal = (text: string): string => digest(text.toLowerCase(), SEAL_CHARACTERS);
  const day = (): number => Math.floor(nowMs() / DAY_MS) % ROUND;
  return {
    seal,
    digest,
    isSealed(text, given) {
      const [right, other] = [Buffer.from(seal(text)), Buffer.from(given.toLowerCase())];
      return right.length === other.length && timingSafeEqual(right, other);
    },
    today: () => `${DIGITS[day() >> 5]}${DIGITS[day() & 31]}`,
    ageOf(written) {
      const [high = "", low = ""] = written.toLowerCase();
      return (day() - (DIGITS.indexOf(high) * 32 + DIGITS.indexOf(low)) + ROUND) % ROUND;
    },
  };
}
