import { readFileSync } from "node:fs";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../kit/clock.ts";
import type { Tables } from "../kit/store.ts";
import { Misuse } from "../kit/trouble.ts";
import type { PackChoice } from "../law/choice.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { type Language, languagesOf } from "../mail/language.ts";
import { parseAddress } from "../mail/path.ts";
import type { Recipient } from "../mail/views.ts";
import type { ConsentRegister } from "../registers/consents.ts";
import type { Flights } from "../registers/flights.ts";
import type { RefusalWay } from "../rules/define.ts";
import { createDesk, type Desk } from "./desk.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import type { Tokens } from "./tokens.ts";

export interface OpenDesk {
  readonly desk: Desk;
  readonly outbox: Outbox;
}

export interface DeskGround {
  readonly clock: Clock;
  readonly tables: Tables;
  readonly consents: ConsentRegister;
  readonly recorder: Recorder;
  readonly flights: Flights;
  /** Asked anew each time: a reload changes it. */
  readonly law: () => { readonly config: Config; readonly choice: PackChoice };
}

/** Everything the desk is made of. */
export function openDesk({ clock, tables, consents, recorder, flights, law }: DeskGround): OpenDesk {
  const { address, confirm } = law().config.refusals;
  const outbox = createOutbox(tables, clock);
  const confirms = confirm && address !== undefined;
  const languagesFor = (recipient: string) => languages(law().choice, recipient);
  return {
    outbox,
    desk: createDesk({ consents, tables, recorder, outbox, flights, clock, confirms, languagesOf: languagesFor }),
  };
}

/** Of the countries whose law protects him, and English for everybody. */
function languages(choice: PackChoice, recipient: string): [Language, ...Language[]] {
  const address = parseAddress(recipient);
  const packs = address ? choice.for({ address }, {}) : [];
  return languagesOf(packs.map(({ country }) => country));
}

/** Where to refuse, for List-Unsubscribe (`refusals.addHeaders`). */
export function refusalWays({ refusals }: Config, tokens: Tokens) {
  const { address, publicUrl, addHeaders } = refusals;
  return (advertiser: string, recipient: Recipient | undefined): RefusalWay => {
    if (!addHeaders || (!address && !publicUrl)) return {};
    const token = tokens.make({ kind: "refuse", advertiser, ...(recipient && { recipient: recipient.address.key }) });
    return {
      ...(publicUrl && recipient && { url: `${publicUrl}/refuse/${token}` }),
      ...(address && { mailto: `mailto:${address}?subject=${token}` }),
    };
  };
}

/** @throws Misuse */
export function readApiToken({ refusals: { apiTokenFile } }: Config): string | undefined {
  if (apiTokenFile === undefined) return undefined;
  try {
    const token = readFileSync(apiTokenFile, "utf8").trim();
    if (token.length >= 16) return token;
  } catch (error) {
    throw new Misuse(`refusals.apiTokenFile: ${(error as Error).message}`);
  }
  throw new Misuse("refusals.apiTokenFile: a token shorter than 16 characters can be guessed");
}
