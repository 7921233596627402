import { ipRanges } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import type { Entry } from "../ledger/entry.ts";
import type { Search } from "../ledger/journal.ts";

const same = (wanted: string | undefined, found: string | undefined): boolean =>
  wanted === undefined || (found !== undefined && wanted.toLowerCase() === found.toLowerCase());

function ipTest(ip: string | undefined): (entry: Entry) => boolean {
  if (ip === undefined) return () => true;
  try {
    const range = ipRanges([ip]);
    return (entry) => entry.clientIp !== undefined && range.has(entry.clientIp);
  } catch {
    throw new Misuse(`"${ip}" is neither an IP address nor a CIDR range such as 192.0.2.0/24 or 2001:db8::/32`);
  }
}

/** The domain of an address, in lower case; "" for the null reverse-path. */
const domainOf = (address: string): string => address.slice(address.lastIndexOf("@") + 1).toLowerCase();

function domainTest(domain: string | undefined): (entry: Entry) => boolean {
  if (domain === undefined) return () => true;
  const wanted = domain.toLowerCase().replace(/^\*\./, "");
  const below = domain.startsWith("*.") ? `.${wanted}` : undefined;
  const is = (address: string | undefined): boolean => {
    if (address === undefined) return false;
    const found = domainOf(address);
    return found === wanted || (below !== undefined && found.endsWith(below));
  };
  return ({ sender, recipient }) => is(sender) || is(recipient);
}

/** Does a list of rules name this one? A rule that was only watched carries a "~", which need not be asked for. */
const namesRule = (rules: readonly string[] | undefined, rule: string): boolean =>
  rules !== undefined && (rules.includes(rule) || rules.includes(`~${rule}`));

function wordsTest({ messageId, event, verdict, rule, article, client }: Search): (entry: Entry) => boolean {
  const articleText = article?.toLowerCase();
  return (entry) =>
    (messageId === undefined || entry.messageId === messageId) &&
    (event === undefined || entry.event === event) &&
    (verdict === undefined || entry.verdict === verdict) &&
    (rule === undefined || namesRule(entry.rules, rule)) &&
    (articleText === undefined || (entry.articles ?? []).some((each) => each.toLowerCase().includes(articleText))) &&
    (client === undefined || entry.client === client);
}

/**
 * Compiles a search into a test. Addresses are compared without regard to case; "" finds the null reverse-path; the time
 * runs from `sinceMs` inclusive to `untilMs` exclusive, so that days do not overlap.
 *
 * @throws Misuse when `ip` is neither address nor range
 */
export function matcher(search: Search): (entry: Entry) => boolean {
  const { id, address, sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = search;
  const fromIp = ipTest(search.ip);
  const ofDomain = domainTest(search.domain);
  const inWords = wordsTest(search);
  return (entry) =>
    entry.at >= sinceMs &&
    entry.at < untilMs &&
    (id === undefined || entry.id === id || entry.mailId === id || entry.queueId === id) &&
    same(search.sender, entry.sender) &&
    same(search.recipient, entry.recipient) &&
    (address === undefined || same(address, entry.sender) || same(address, entry.recipient)) &&
    fromIp(entry) &&
    ofDomain(entry) &&
    inWords(entry);
}

/**
 * A cheap first look at the text of an entry as JSON: false when no entry can match that has not one of the searched words
 * in it. undefined: nothing can be told.
 */
export function lineTest({
  id,
  messageId,
  recipient,
  sender,
  address,
}: Search): ((line: string) => boolean) | undefined {
  const exact = id ?? messageId;
  if (exact) {
    const needle = inJson(exact);
    return (line) => line.includes(needle);
  }
  const text = [recipient, sender, address].find((each) => each !== undefined && each !== "");
  // Letters beyond ASCII may change their length with their case.
  if (text === undefined || /[^\x20-\x7e]/.test(text)) return undefined;
  const needle = inJson(text).toLowerCase();
  return (line) => line.toLowerCase().includes(needle);
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
