/** Which files a search has to read, and which blocks of them: what the indexes and the names of the days can tell beforehand. */
import { join } from "node:path";
import { ID_FORM, idTimeMs } from "../../kit/ids.ts";
import { canonicalIp, ipRanges, isIpRange } from "../../kit/ip.ts";
import { Misuse } from "../../kit/trouble.ts";
import type { Search } from "../../ledger/journal.ts";
import { type Found, findAddress, type Role } from "./address-index.ts";
import type { Day, Volume } from "./catalog.ts";
import type { Cipher } from "./cipher.ts";
import { BLOCK } from "./columns.ts";
import { type Database, literal } from "./database.ts";
import { addressesOf, dateOf, parquetOf, type Span } from "./layout.ts";
import { firstBlock } from "./volume.ts";
import { addressIs, allOf, conditionsOf } from "./where.ts";

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

/** Files and the condition their rows have to meet. */
interface Branch {
  readonly files: readonly string[];
  readonly where: string;
}

const branchSql = async ({ files, where }: Branch, database: Database): Promise<string> =>
  `SELECT * EXCLUDE (${BLOCK}) FROM ${await database.from(files)} WHERE ${where}`;

/**
 * SQL for the rows of these days that match, with the columns of the archive, in no order.
 * @returns undefined when no file can have one
 */
export async function rowsSql(search: Search, days: readonly Day[], database: Database): Promise<string | undefined> {
  const parts = days.flatMap(({ dir, parts: all }) =>
    all.filter(({ rows }) => rows > 0).map(({ file }) => join(dir, file)),
  );
  const volumes = days.flatMap((day) => day.volumes);
  const common = conditionsOf(search);
  const roles = rolesOf(search);
  const branches: Branch[] = [];
  if (roles.length === 0) branches.push({ files: [...volumes.map(fileOf), ...parts], where: allOf(common) });
  else {
    const { indexed, scanned } = lookUp(roles, volumes, database.cipher);
    branches.push(...indexedBranches(indexed, common));
    branches.push({ files: [...scanned, ...parts], where: allOf([...common, condition(roles, true)]) });
  }
  const full = branches.filter(({ files }) => files.length > 0);
  if (full.length === 0) return undefined;
  const network = await networkCondition(search, full, database);
  const selects = full.map(({ files, where }) => branchSql({ files, where: allOf([where, ...network]) }, database));
  return (await Promise.all(selects)).join(" UNION ALL ");
}

const fileOf = ({ path, seal }: Volume): string => join(path.dir, parquetOf(seal.volume));

/** Addresses that are searched for, all of which have to be there; in one of the roles given. */
interface Wanted {
  readonly roles: readonly Role[];
  readonly address: string;
}

function rolesOf({ sender, recipient, address }: Search): Wanted[] {
  const wanted: [readonly Role[], string | undefined][] = [
    [["sender"], sender],
    [["recipient"], recipient],
    [["sender", "recipient"], address],
  ];
  return wanted.flatMap(([roles, text]) => (text === undefined ? [] : [{ roles, address: text }]));
}

const condition = (wanted: readonly Wanted[], mixedCase: boolean): string =>
  allOf(
    wanted.map(({ roles, address }) => `(${roles.map((role) => addressIs(role, address, mixedCase)).join(" OR ")})`),
  );

interface Indexed {
  readonly file: string;
  readonly blocks: readonly number[];
  readonly where: string;
}

/** Asks the index of each volume. One that cannot be read only costs the time it would have saved. */
function lookUp(wanted: readonly Wanted[], volumes: readonly Volume[], cipher: Cipher | undefined) {
  const indexed: Indexed[] = [];
  const scanned: string[] = [];
  for (const volume of volumes) {
    const file = fileOf(volume);
    try {
      const found = wanted.map((each) => findAny(each, volume, cipher));
      if (found.some(({ blocks }) => blocks.length === 0)) continue;
      const blocks = found
        .map((each) => each.blocks)
        .reduce((all, each) => all.filter((block) => each.includes(block)));
      if (blocks.length === 0) continue;
      const first = firstBlock(volume.seal.date);
      const where = condition(
        wanted,
        found.some(({ mixedCase }) => mixedCase),
      );
      indexed.push({ file, blocks: blocks.map((block) => first + block), where });
    } catch {
      scanned.push(file);
    }
  }
  return { indexed, scanned };
}

function findAny({ roles, address }: Wanted, { path, seal }: Volume, cipher: Cipher | undefined): Found {
  const index = join(path.dir, addressesOf(seal.volume));
  const found = roles.flatMap((role) => findAddress(index, { role, address }, cipher) ?? []);
  return {
    blocks: [...new Set(found.flatMap(({ blocks }) => blocks))],
    mixedCase: found.some(({ mixedCase }) => mixedCase),
  };
}

function indexedBranches(indexed: readonly Indexed[], common: readonly string[]): Branch[] {
  const conditions = [...new Set(indexed.map(({ where }) => where))];
  return conditions.map((where) => {
    const same = indexed.filter((each) => each.where === where);
    const blocks = `${BLOCK} IN (${[...new Set(same.flatMap((each) => each.blocks))].join(", ")})`;
    return { files: same.map(({ file }) => file), where: allOf([blocks, where, ...common]) };
  });
}

/** DuckDB knows no networks here: the addresses there are, are few; those inside are named one by one. */
async function networkCondition(search: Search, branches: readonly Branch[], database: Database): Promise<string[]> {
  const { ip } = search;
  if (ip === undefined) return [];
  if (!isIpRange(ip)) {
    throw new Misuse(`"${ip}" is neither an IP address nor a CIDR range such as 192.0.2.0/24 or 2001:db8::/32`);
  }
  if (canonicalIp(ip) !== undefined) return [];
  const range = ipRanges([ip]);
  const files = branches.flatMap((branch) => branch.files);
  const inside: string[] = [];
  const sql = `SELECT DISTINCT client_ip FROM ${await database.from(files)} WHERE client_ip IS NOT NULL`;
  for await (const rows of database.stream(sql)) {
    for (const [address] of rows) if (range.has(String(address))) inside.push(literal(String(address)));
  }
  return [inside.length > 0 ? `client_ip IN (${inside.join(", ")})` : "false"];
}
