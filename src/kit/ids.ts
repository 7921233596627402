import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "./clock.ts";

/** Crockford's base 32: sorts like the number it writes, and has no I, L, O or U to misread aloud. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_DIGITS = 10;
const RUN_DIGITS = 5;
const COUNT_DIGITS = 4;
const COUNT_MAX = 32 ** COUNT_DIGITS;
const SEAL_DIGITS = 4;
/** Words of a SHA-256 digest, and an odd number that spreads neighbouring counts. */
const SEAL_WORDS = 8;
const SEAL_SPREAD = 0x9e37_79b1;
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

/**
 * Seals ids with twenty bits that nobody guesses in a mail or two. One digest serves the ids of one run in one second: whoever
 * holds an id of that second learns nothing that he could not do by repeating it.
 */
function createSeal(secret: Buffer): (ms: number, run: string, count: number) => string {
  let latest = { of: "", digest: Buffer.alloc(0) };
  return (ms, run, count) => {
    const of = `${Math.floor(ms / 1000)} ${run}`;
    if (latest.of !== of) latest = { of, digest: createHmac("sha256", secret).update(of).digest() };
    const word = latest.digest.readUInt32BE((count % SEAL_WORDS) * 4) ^ Math.imul(count, SEAL_SPREAD);
    return digits((word >>> 0) % 32 ** SEAL_DIGITS, SEAL_DIGITS);
  };
}

/** The time in ms at which an id was made. */
export const idTimeMs = (id: string): number => number(id.slice(0, TIME_DIGITS));

function number(text: string): number {
  let value = 0;
  for (const digit of text) value = value * 32 + DIGITS.indexOf(digit);
  return value;
}

const WORKERS_MAX = 64;

function runNumber(worker: number | undefined): number {
  const dice = randomBytes(4).readUInt32BE() % 32 ** RUN_DIGITS;
  return worker === undefined ? dice : dice - (dice % WORKERS_MAX) + (worker % WORKERS_MAX);
}

/**
 * Ids of 19 characters (23 with a seal) that sort by time, never repeat over restarts and nodes (25 random bits a run), and never go back
 * when the clock does.
 *
 * @param secret shared by all nodes of a site, at least 16 bytes
 * @param worker of several processes of one machine, which this is, 1 to 64: two that run at one time never share a run
 */
export function createIds(clock: Clock, secret: Buffer, worker?: number): Ids {
  const run = digits(runNumber(worker), RUN_DIGITS);
  const seal = createSeal(secret);
  let lastMs = 0;
  let count = 0;
  let time = { ms: -1, text: "" };
  const next = (): string => {
    const now = Math.max(clock.now(), lastMs);
    count = now === lastMs ? count + 1 : 0;
    lastMs = count === COUNT_MAX ? now + 1 : now;
    if (count === COUNT_MAX) count = 0;
    if (time.ms !== lastMs) time = { ms: lastMs, text: digits(lastMs, TIME_DIGITS) };
    return time.text + run + digits(count, COUNT_DIGITS);
  };
  return {
    next,
    sealed: () => next() + seal(lastMs, run, count),
    isOurs(id) {
      if (id.length !== ID_LENGTH || !ID_FORM.test(id)) return false;
      const itsRun = id.slice(TIME_DIGITS, TIME_DIGITS + RUN_DIGITS);
      const itsCount = number(id.slice(TIME_DIGITS + RUN_DIGITS, -SEAL_DIGITS));
      return seal(idTimeMs(id), itsRun, itsCount) === id.slice(-SEAL_DIGITS);
    },
  };
}
