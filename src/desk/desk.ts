/**
 * Where people's own words arrive, on every path: a click, a mail, the API. A refusal is in the register and the ledger before
 * anybody hears that it was taken, and from then on RCPT says no (Order 38 art. 14; Circular 12/2008 III.1.1).
 */
import { z } from "zod";
import type { Clock } from "../kit/clock.ts";
import type { Tables } from "../kit/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import type { ConsentRegister } from "../registers/consents.ts";
import type { Flights } from "../registers/flights.ts";
import type { Notice, Outbox } from "./outbox.ts";
import type { Meaning } from "./tokens.ts";

/** How the word came to us, for the record. */
export interface Path {
  readonly how: "one-click" | "mail" | "reply" | "api" | "console" | "double-opt-in";
  /** The address it came from. */
  readonly ip?: string;
  /** Who spoke for the recipient (API). */
  readonly actor?: string;
}

export interface Word extends Path {
  readonly advertiser: string;
  /** Address key. */
  readonly recipient: string;
}

export interface Desk {
  /**
   * Records a refusal, waits for advertising that was judged before and is being handed over, and lays the refusal's
   * confirmation out to be sent, once. When it resolves, no further advertising reaches the next hop.
   * @returns whether a yes stood until now
   * @throws Unavailable: nothing is promised, though it may be recorded; saying it again is safe
   */
  refuse(word: Word): Promise<boolean>;
  /** Records a yes to a request. @returns false when a refusal came after the request */
  agree(word: Word, request: Meaning): Promise<boolean>;
  /**
   * Lays out a request for consent. Silence is a no, and nobody is asked twice.
   * @returns false when this recipient was asked before, or has said yes or no already
   */
  ask(question: Question): Promise<boolean>;
}

export interface Question {
  readonly advertiser: string;
  /** Address key. */
  readonly recipient: string;
  /** What he is asked to agree to; none: everything. */
  readonly topics: readonly string[];
  readonly actor?: string;
}

export interface DeskParts {
  readonly consents: ConsentRegister;
  readonly tables: Tables;
  readonly recorder: Recorder;
  readonly outbox: Outbox;
  readonly flights: Pick<Flights, "landed">;
  readonly clock: Clock;
  /** Are refusals confirmed by mail? */
  readonly confirms: boolean;
  /** Languages to write to this recipient in. */
  readonly languagesOf: (recipient: string) => Notice["languages"];
}

const REQUESTS = "consent-requests";

export const createDesk = (parts: DeskParts): Desk => ({
  refuse: (word) => refuse(parts, word),
  agree: (word, request) => agree(parts, word, request),
  ask: (question) => ask(parts, question),
});

async function refuse(parts: DeskParts, word: Word): Promise<boolean> {
  const { consents, recorder, confirms, flights } = parts;
  const { advertiser, recipient, how } = word;
  const [before] = await consents.standing(advertiser, [recipient]);
  const stood = await consents.withdraw(advertiser, recipient);
  const isNew = before?.withdrawnAtMs === undefined;
  if (isNew && confirms) await oweConfirmation(parts, word);
  const evidence = { advertiser, how, stoodUntilNow: stood, ...(!isNew && { again: true }) };
  await recorder.record([{ event: "consent-withdrawn", recipient, ...whence(word), evidence }]);
  await flights.landed(advertiser, recipient);
  if (await payConfirmation(parts, word)) {
    await layOut(parts, { kind: "refused", advertiser, recipient, topics: [] });
  }
  return stood;
}

const CONFIRMATIONS = "confirmations";
/** A refusal, by its moment, is confirmed once, whoever hears it how often, and also when who heard it first died. */
const debtSchema = z.strictObject({ refusedAtMs: z.number(), laidOut: z.boolean() });

async function oweConfirmation({ consents, tables }: DeskParts, { advertiser, recipient }: Word): Promise<void> {
  const [standing] = await consents.standing(advertiser, [recipient]);
  const refusedAtMs = standing?.withdrawnAtMs;
  const key = { partition: recipient, id: advertiser };
  const row = await tables.get(CONFIRMATIONS, key);
  if (refusedAtMs === undefined || (row && debtSchema.parse(row.value).refusedAtMs === refusedAtMs)) return;
  await tables.put(CONFIRMATIONS, key, { refusedAtMs, laidOut: false }, row?.version ?? 0);
}

/** @returns whether it is this caller who has to lay it out */
async function payConfirmation({ tables }: DeskParts, { advertiser, recipient }: Word): Promise<boolean> {
  const key = { partition: recipient, id: advertiser };
  const row = await tables.get(CONFIRMATIONS, key);
  const debt = row && debtSchema.parse(row.value);
  if (!debt || debt.laidOut) return false;
  return (await tables.put(CONFIRMATIONS, key, { ...debt, laidOut: true }, row.version)) !== undefined;
}

async function agree({ consents, tables, recorder }: DeskParts, word: Word, request: Meaning): Promise<boolean> {
  const { advertiser, recipient, how, ip } = word;
  const [known] = await consents.find(advertiser, [recipient]);
  if (known?.withdrawnAtMs !== undefined && known.withdrawnAtMs >= request.madeAtMs) return false;
  const asked = await tables.get(REQUESTS, { partition: recipient, id: advertiser });
  const { topics } = requestSchema.parse(asked?.value ?? {});
  const reference = `request of ${new Date(request.madeAtMs).toISOString()}`;
  const proof = { how: "double-opt-in", reference, ...(ip !== undefined && { ip }) };
  if ((await consents.grant({ advertiser, recipient, topics, proof })) === "refused") return false;
  const evidence = { advertiser, how, reference };
  await recorder.record([{ event: "consent-granted", recipient, ...whence(word), evidence }]);
  return true;
}

async function ask(parts: DeskParts, { advertiser, recipient, topics, actor }: Question): Promise<boolean> {
  const { consents, tables, recorder, clock } = parts;
  const [known] = await consents.find(advertiser, [recipient]);
  if (known) return false;
  const key = { partition: recipient, id: advertiser };
  if (!(await tables.put(REQUESTS, key, { askedAtMs: clock.now(), topics }, 0))) return false;
  await layOut(parts, { kind: "asked", advertiser, recipient, topics: [...topics] });
  const evidence = { advertiser, topics: topics.join(", ") };
  await recorder.record([{ event: "consent-requested", recipient, ...(actor !== undefined && { actor }), evidence }]);
  return true;
}

const requestSchema = z.object({ topics: z.array(z.string()).default([]) });

const layOut = (
  { outbox, clock, languagesOf }: DeskParts,
  notice: Pick<Notice, "kind" | "advertiser" | "recipient" | "topics">,
): Promise<void> => outbox.add({ ...notice, atMs: clock.now(), languages: languagesOf(notice.recipient) });

const whence = ({ ip, actor }: Path) => ({
  ...(ip !== undefined && { clientIp: ip }),
  ...(actor !== undefined && { actor }),
});
