/** A search as conditions of SQL; the same search that `matcher` tests entry by entry. */
import { ID_FORM } from "../../kit/ids.ts";
import { canonicalIp } from "../../kit/ip.ts";
import type { Search } from "../../ledger/journal.ts";
import { fullIdSql } from "./columns.ts";
import { literal } from "./database.ts";
import { shortIdMark } from "./short-id.ts";

/** Text as a pattern of LIKE that means itself; "!" escapes. */
const likeText = (text: string): string => text.replace(/[!%_]/g, "!$&");
const like = (column: string, pattern: string): string => `${column} LIKE ${literal(pattern)} ESCAPE '!'`;

const addressIs = (roles: readonly string[], address: string | undefined): string[] =>
  address === undefined ? [] : [anyOf(roles.map((role) => `lower(${role}) = ${literal(address.toLowerCase())}`))];

function domainIs(domain: string): string {
  const wanted = likeText(domain.toLowerCase().replace(/^\*\./, ""));
  const patterns = domain.startsWith("*.") ? [`%@${wanted}`, `%.${wanted}`] : [`%@${wanted}`];
  const sides = ["lower(sender)", "lower(recipient)"];
  return anyOf(sides.flatMap((side) => patterns.map((pattern) => like(side, pattern))));
}

const anyOf = (conditions: readonly string[]): string => `(${conditions.join(" OR ")})`;

/** Entry's, mail's or queue's id. Those that are kept short are looked at in full only where run and seal agree. */
function idIs(id: string): string {
  const text = literal(id);
  const own = ["id", "mail_id"].map((name) =>
    ID_FORM.test(id)
      ? `(${name} LIKE ${literal(shortIdMark(id))} AND ${fullIdSql(name)} = ${text})`
      : `${name} IN (${text}, ${literal(`=${id}`)})`,
  );
  return anyOf([`queue_id = ${text}`, ...own]);
}

function equalities({ messageId, event, verdict, client }: Search): string[] {
  const pairs = Object.entries({ message_id: messageId, event, verdict, client });
  return pairs.flatMap(([column, value]) => (value === undefined ? [] : [`${column} = ${literal(value)}`]));
}

function timeIs({ sinceMs, untilMs }: Search): string[] {
  const moment = (ms: number): string => `make_timestamp_ms(${Math.round(ms)})::TIMESTAMP_MS`;
  return [
    ...(sinceMs === undefined ? [] : [`"at" >= ${moment(sinceMs)}`]),
    ...(untilMs === undefined ? [] : [`"at" < ${moment(untilMs)}`]),
  ];
}

/**
 * Everything but the network, which takes a look at the addresses there are first.
 * @returns conditions that all have to hold
 */
export function conditionsOf(search: Search): string[] {
  const { domain, id, rule, article, ip, sender, recipient, address: either } = search;
  const address = ip === undefined ? undefined : canonicalIp(ip);
  return [
    ...timeIs(search),
    ...equalities(search),
    ...addressIs(["sender"], sender),
    ...addressIs(["recipient"], recipient),
    ...addressIs(["sender", "recipient"], either),
    ...(address === undefined ? [] : [`client_ip = ${literal(address)}`]),
    ...(domain === undefined ? [] : [domainIs(domain)]),
    ...(id === undefined ? [] : [idIs(id)]),
    ...(rule === undefined
      ? []
      : [anyOf([rule, `~${rule}`].map((name) => `coalesce(list_contains(rules, ${literal(name)}), false)`))]),
    ...(article === undefined
      ? []
      : [like("lower(array_to_string(articles, chr(29)))", `%${likeText(article.toLowerCase())}%`)]),
  ];
}

export const allOf = (conditions: readonly string[]): string =>
  conditions.length === 0 ? "true" : conditions.join(" AND ");
