/** Which files a search has to read, and how: for DuckDB. What the indexes answer is in point.ts. */
import { join } from "node:path";
import { ID_FORM, idTimeMs } from "../../kit/ids.ts";
import { canonicalIp, ipRanges, isIpRange } from "../../kit/ip.ts";
import { Misuse } from "../../kit/trouble.ts";
import type { Search } from "../../ledger/journal.ts";
import type { Day } from "./catalog.ts";
import { type Database, literal } from "./database.ts";
import { dateOf, parquetOf, type Span } from "./layout.ts";
import { allOf, conditionsOf } from "./where.ts";

const DAY_MS = 86_400_000;

/** A mail's entries are made after its id, but a clock may have been set. */
function sinceOf({ sinceMs, id }: Search): number | undefined {
  const fromId = id !== undefined && ID_FORM.test(id) ? idTimeMs(id) - DAY_MS : undefined;
  return sinceMs === undefined ? fromId : Math.max(sinceMs, fromId ?? sinceMs);
}

const LAST_MS = 8.64e15;

/** The days a search can find something in. */
export function spanOf(search: Search): Span {
  const since = sinceOf(search);
  const { untilMs } = search;
  const inRange = (ms: number): number => Math.min(LAST_MS, Math.max(0, ms));
  return {
    ...(since !== undefined && since > 0 && { first: dateOf(inRange(since)) }),
    ...(untilMs !== undefined && { last: dateOf(inRange(untilMs - 1)) }),
  };
}

/** So few entries can match that all days are looked through at once and what is found is put in order together. */
export const isNarrow = ({ sender, recipient, address, ip, id, messageId }: Search): boolean =>
  [sender, recipient, address, id, messageId].some((each) => each !== undefined && each !== "") ||
  (ip !== undefined && canonicalIp(ip) !== undefined);

/**
 * SQL for the rows of these days that match, with the columns of the archive, in no order.
 * @returns undefined when no file can have one
 */
export async function rowsSql(search: Search, days: readonly Day[], database: Database): Promise<string | undefined> {
  const files = days.flatMap(({ dir, parts, volumes }) => [
    ...volumes.map(({ seal }) => join(dir, parquetOf(seal.volume))),
    ...parts.filter(({ rows }) => rows > 0).map(({ file }) => join(dir, file)),
  ]);
  if (files.length === 0) return undefined;
  const source = await database.from(files);
  const conditions = [...conditionsOf(search), ...(await networkCondition(search, source, database))];
  return `SELECT * FROM ${source} WHERE ${allOf(conditions)}`;
}

/** DuckDB knows no networks here: the addresses there are, are few; those inside are named one by one. */
async function networkCondition(search: Search, source: string, database: Database): Promise<string[]> {
  const { ip } = search;
  if (ip === undefined) return [];
  if (!isIpRange(ip)) {
    throw new Misuse(`"${ip}" is neither an IP address nor a CIDR range such as 192.0.2.0/24 or 2001:db8::/32`);
  }
  if (canonicalIp(ip) !== undefined) return [];
  const range = ipRanges([ip]);
  const inside: string[] = [];
  const sql = `SELECT DISTINCT client_ip FROM ${source} WHERE client_ip IS NOT NULL`;
  for await (const rows of database.stream(sql)) {
    for (const [address] of rows) if (range.has(String(address))) inside.push(literal(String(address)));
  }
  return [inside.length > 0 ? `client_ip IN (${inside.join(", ")})` : "false"];
}
