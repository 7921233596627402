/** What several commands of the ledger need: a search from the command line, and the note of who searched. */
import { ID_FORM } from "../kit/ids.ts";
import { isIpRange } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import type { Search } from "../ledger/journal.ts";
import { type Asked, beginLookUp, type LookUp } from "../ledger/lookups.ts";
import { createRecorder } from "../ledger/recorder.ts";
import { parseAddress } from "../mail/path.ts";
import { text } from "./globals.ts";
import type { Ground } from "./ground.ts";
import { DAY_MS, parseMoment } from "./times.ts";

export const sinceOption = text("2026-11-22, 2026-11-22T10:30Z, or how long ago: 90s 30m 2h 3d 1w");
export const untilOption = text("the same; a day is meant to its end; without it there is no end");

export interface TimeSpan {
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

/** @returns from inclusive, to exclusive. Without an end there is none: a clock that was ahead and set back left entries of a later time */
export function readSpan(
  { since, until }: { since?: string | undefined; until?: string | undefined },
  nowMs: number,
): TimeSpan {
  const first = since === undefined ? undefined : parseMoment(since, "since", nowMs).ms;
  const last = until === undefined ? undefined : parseMoment(until, "until", nowMs);
  const end = last?.day ? last.ms + DAY_MS : last?.ms;
  if (first !== undefined && end !== undefined && first >= end) throw new Misuse("--since is not before --until");
  return { ...(first !== undefined && { sinceMs: first }), ...(end !== undefined && { untilMs: end }) };
}

/** As the ledger writes it: IDN domains in A-labels. @throws Misuse */
export function readAddress(given: string, option: string): string {
  const address = parseAddress(given);
  if (!address) throw new Misuse(`--${option} "${given}": expected local-part@domain`);
  return address.text;
}

/** Our ids may be typed in small letters; an MTA's mean what they are. */
export const readId = (id: string): string => (ID_FORM.test(id.toUpperCase()) ? id.toUpperCase() : id);

export const inBrackets = (messageId: string): string => (/^<.*>$/.test(messageId) ? messageId : `<${messageId}>`);

/** Whom or what a request is about; every one given must match. */
export interface About {
  readonly sender?: string | undefined;
  readonly recipient?: string | undefined;
  readonly address?: string | undefined;
  readonly domain?: string | undefined;
  readonly ip?: string | undefined;
  readonly client?: string | undefined;
  readonly messageId?: string | undefined;
  readonly id?: string | undefined;
}

/** @throws Misuse naming the option that does not do */
export function readAbout({ sender, recipient, address, domain, ip, client, messageId, id }: About): Search {
  if (ip !== undefined && !isIpRange(ip)) throw new Misuse(`--ip "${ip}": expected an address or a CIDR range`);
  return {
    ...(sender !== undefined && { sender: sender === "" || sender === "<>" ? "" : readAddress(sender, "sender") }),
    ...(recipient !== undefined && { recipient: readAddress(recipient, "recipient") }),
    ...(address !== undefined && { address: readAddress(address, "address") }),
    ...(domain !== undefined && { domain }),
    ...(ip !== undefined && { ip }),
    ...(client !== undefined && { client }),
    ...(messageId !== undefined && { messageId: inBrackets(messageId) }),
    ...(id !== undefined && { id: readId(id) }),
  };
}

/** A search as small facts. */
export function askedOf({ sinceMs, untilMs, ...search }: Search): Asked {
  const at = (ms: number | undefined): string | undefined =>
    ms === undefined ? undefined : new Date(ms).toISOString();
  const all = { ...search, since: at(sinceMs), until: at(untilMs) };
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Written before anything is shown. @throws Unavailable when it cannot be; then nothing may be shown */
export async function noteLookUp(ground: Ground, actor: string, asked: Asked): Promise<LookUp> {
  const ids = await ground.ids();
  const recorder = createRecorder(await ground.journal(), ids, ground.clock);
  return beginLookUp({ recorder, actor, asked, id: ids.next() });
}

/** "to li@example.com, case 2026-117" */
export const factsInWords = (facts: Asked): string =>
  Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
