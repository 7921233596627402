/** What `consentry ledger find` looks for, from its options. */
import { isIpRange } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import { EVENTS, type EventName } from "../ledger/events.ts";
import type { Search } from "../ledger/journal.ts";
import type { Asked } from "../ledger/lookups.ts";
import { text } from "./globals.ts";
import { inBrackets, readAddress, readId, readSpan, sinceOption, untilOption } from "./ledger-ask.ts";

const VERDICTS = ["accept", "hold", "defer", "reject"] as const;

/** Every one given must match. */
export const SEARCH_OPTIONS = {
  from: text("sender; '' or '<>' for bounces"),
  to: text("recipient"),
  address: text("sender or recipient"),
  domain: text("of sender or recipient; *.example.com: the domains below it, too"),
  ip: text("client address, or a CIDR range"),
  since: sinceOption,
  until: untilOption,
  id: text("id of a mail or an entry, as the replies name it, or the MTA's queue id"),
  "message-id": text("the Message-ID header, with its angle brackets or without"),
  event: { ...text("what happened"), choices: Object.keys(EVENTS) as EventName[] },
  verdict: { ...text("how it was judged"), choices: VERDICTS },
  rule: text('rule that spoke, also when it was only watched; "~group/rule": only watched'),
  article: text("a part of the article's name"),
  client: text("id of a registered client"),
} as const;

type Given = string | undefined;

export interface Wanted {
  readonly from?: Given;
  readonly to?: Given;
  readonly address?: Given;
  readonly domain?: Given;
  readonly ip?: Given;
  readonly since?: Given;
  readonly until?: Given;
  readonly id?: Given;
  readonly messageId?: Given;
  readonly event?: EventName | undefined;
  readonly verdict?: Search["verdict"] | undefined;
  readonly rule?: Given;
  readonly article?: Given;
  readonly client?: Given;
}

/** @throws Misuse naming the option that does not do */
export function readSearch(wanted: Wanted, nowMs: number): Search {
  const { from, to, address, domain, ip, id, messageId, event, verdict, rule, article, client } = wanted;
  if (ip !== undefined && !isIpRange(ip)) throw new Misuse(`--ip "${ip}": expected an address or a CIDR range`);
  const fields = {
    sender: from === undefined ? undefined : from === "" || from === "<>" ? "" : readAddress(from, "from"),
    recipient: to === undefined ? undefined : readAddress(to, "to"),
    address: address === undefined ? undefined : readAddress(address, "address"),
    domain,
    ip,
    id: id === undefined ? undefined : readId(id),
    messageId: messageId === undefined ? undefined : inBrackets(messageId),
    event,
    verdict,
    rule,
    article,
    client,
  };
  return { ...onlyGiven(fields), ...readSpan(wanted, nowMs) } as Search;
}

const onlyGiven = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** What was asked, as the look-up's entry has it. */
export const wordsOf = (wanted: Wanted): Asked => {
  const { from, to, address, domain, ip, since, until, id, messageId, event, verdict, rule, article, client } = wanted;
  const all = { from, to, address, domain, ip, since, until, id, messageId, event, verdict, rule, article, client };
  return onlyGiven(all) as Asked;
};
