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

/**
 * Compiles a search into a test. Addresses are compared without regard to case; "" finds the null reverse-path; the time
 * runs from `sinceMs` inclusive to `untilMs` exclusive, so that days do not overlap.
 *
 * @throws Misuse when `ip` is neither address nor range
 */
export function matcher(search: Search): (entry: Entry) => boolean {
  const { id, sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = search;
  const fromIp = ipTest(search.ip);
  return (entry) =>
    entry.at >= sinceMs &&
    entry.at < untilMs &&
    (id === undefined || entry.id === id || entry.mailId === id) &&
    same(search.sender, entry.sender) &&
    same(search.recipient, entry.recipient) &&
    fromIp(entry);
}
