/**
 * Ids in the archive. An id is mostly the time it was made at, which stands beside it in every row: so it is written as the
 * difference, "<entry's time - id's time, ms>.<run>.<count>", with ".<seal>" behind it where there is one. That is a third of the archive's
 * size less. What is no such id is written as it is.
 */
import { ID_FORM, idTimeMs } from "../../kit/ids.ts";

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** Of an id: ten digits of time, five of the run, four that count, and four of the seal that some have. */
const RUN_AT = 10;
const COUNT_AT = 15;
const SEAL_AT = 19;
const SHORT = /^-?\d+\.[0-9A-Z]{5}\.\d+(?:\.[0-9A-Z]{4})?$/;

/** @param at the entry's time, ms */
export function shortId(id: string, at: number): string {
  if (!ID_FORM.test(id)) return SHORT.test(id) || id.startsWith("=") ? `=${id}` : id;
  let count = 0;
  for (const digit of id.slice(COUNT_AT, SEAL_AT)) count = count * 32 + DIGITS.indexOf(digit);
  const short = `${at - idTimeMs(id)}.${id.slice(RUN_AT, COUNT_AT)}.${count}`;
  return id.length > SEAL_AT ? `${short}.${id.slice(SEAL_AT)}` : short;
}

export function fullId(short: string, at: number): string {
  if (short.startsWith("=")) return short.slice(1);
  if (!SHORT.test(short)) return short;
  const [lag = "0", run = "", count = "0", seal = ""] = short.split(".");
  return digits(at - Number(lag), RUN_AT) + run + digits(Number(count), SEAL_AT - COUNT_AT) + seal;
}

function digits(value: number, length: number): string {
  let text = "";
  for (let rest = value, i = 0; i < length; i += 1, rest = Math.floor(rest / 32)) text = DIGITS[rest % 32] + text;
  return text;
}

/** What every short form of this id contains, for a quick first look. @param id of ID_FORM */
export const shortIdMark = (id: string): string => {
  const seal = id.slice(SEAL_AT);
  return seal === "" ? `%.${id.slice(RUN_AT, COUNT_AT)}.%` : `%.${id.slice(RUN_AT, COUNT_AT)}.%.${seal}`;
};

/** The way back as SQL, for whoever reads the archive with an engine of his own: docs/reference/ledger.md shows the same text. */
export const ID_MACROS = [
  `CREATE OR REPLACE MACRO ledger_digits(n, length) AS list_aggregate(list_transform(range(length - 1, -1, -1), lambda i: substr('${DIGITS}', ((n >> (5 * i)) & 31)::INTEGER + 1, 1)), 'string_agg', '')`,
  `CREATE OR REPLACE MACRO ledger_id(short, at_ms) AS CASE WHEN short[1] = '=' THEN substr(short, 2) WHEN regexp_full_match(short, '-?[0-9]+\\.[0-9A-Z]{5}\\.[0-9]+(\\.[0-9A-Z]{4})?') THEN ledger_digits(at_ms - split_part(short, '.', 1)::BIGINT, 10) || split_part(short, '.', 2) || ledger_digits(split_part(short, '.', 3)::BIGINT, 4) || split_part(short, '.', 4) ELSE short END`,
] as const;
