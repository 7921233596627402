import { hash, randomBytes } from "node:crypto";
import type { Clock } from "./clock.ts";

/** Crockford's base 32: sorts like the number it writes, and has no I, L, O or U to misread aloud. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_DIGITS = 10;
const RUN_DIGITS = 5;
const COUNT_DIGITS = 4;
const COUNT_MAX = 32 ** COUNT_DIGITS;
const SEAL_DIGITS = 4;
export const ID_LENGTH = TIME_DIGITS + RUN_DIGITS + COUNT_DIGITS + SEAL_DIGITS;
export const ID_FORM = new RegExp(`^[${DIGITS}]{${ID_LENGTH - SEAL_DIGITS}}(?:[${DIGITS}]{${SEAL_DIGITS}})?$`);

export interface Ids {
  /** A new id: time, this run of this process, and a count. */
  next(): string;
  /** A new id with a seal behind it that only holders of the secret can make: for mails, whose ids travel. */
  sealed(): string;
  /** Was this sealed id made with this secret? Tells a trace header that passed through us from one that only says so. */
  isOurs(id: string): boolean;
}

function digits(value: number, length: number): string {
  let text = "";
  let rest = value;
  for (let i = 0; i < length; i += 1) {
    text = DIGITS[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** Twenty bits that nobody guesses in a mail or two; the secret stands in front and the input has one length. */
const sealOf = (body: string, secret: string): string =>
  digits(Number.parseInt(hash("sha256", secret + body, "hex").slice(0, 8), 16) % 32 ** SEAL_DIGITS, SEAL_DIGITS);

/** The time in ms at which an id was made. */
export function idTimeMs(id: string): number {
  let time = 0;
  for (const digit of id.slice(0, TIME_DIGITS)) time = time * 32 + DIGITS.indexOf(digit);
  return time;
}

/** The smallest id of a moment, to search from. */
export const idFloor = (ms: number): string => digits(Math.max(0, ms), TIME_DIGITS);

/**
 * Ids of 19 characters (23 with a seal) that sort by time, never repeat over restarts and nodes (25 random bits a run), and never go back
 * when the clock does.
 *
 * @param secret shared by all nodes of a site, at least 16 bytes
 */
export function createIds(clock: Clock, secret: Buffer): Ids {
  const run = digits(randomBytes(4).readUInt32BE() % 32 ** RUN_DIGITS, RUN_DIGITS);
  let lastMs = 0;
  let count = 0;
  const key = secret.toString("hex");
  const next = (): string => {
    const now = Math.max(clock.now(), lastMs);
    count = now === lastMs ? count + 1 : 0;
    lastMs = count === COUNT_MAX ? now + 1 : now;
    if (count === COUNT_MAX) count = 0;
    return digits(lastMs, TIME_DIGITS) + run + digits(count, COUNT_DIGITS);
  };
  return {
    next,
    sealed() {
      const body = next();
      return body + sealOf(body, key);
    },
    isOurs: (id) =>
      id.length === ID_LENGTH && ID_FORM.test(id) && sealOf(id.slice(0, -SEAL_DIGITS), key) === id.slice(-SEAL_DIGITS),
  };
}
