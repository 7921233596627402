import type { Config } from "../config/schema.ts";
import type { NextHop } from "../delivery/next-hop.ts";
import type { Clock } from "../kit/clock.ts";
import type { Duty } from "../kit/duties.ts";
import { every } from "../kit/every.ts";
import type { Ids } from "../kit/ids.ts";
import type { Log } from "../kit/log.ts";
import type { Store } from "../kit/store.ts";
import type { PackChoice } from "../law/choice.ts";
import type { Recorder } from "../ledger/recorder.ts";
import type { ClientRegister } from "../registers/clients.ts";
import type { ConsentRegister } from "../registers/consents.ts";
import type { Flights } from "../registers/flights.ts";
import { createAdvertisers } from "./advertisers.ts";
import type { Desk } from "./desk.ts";
import { mailboxHop } from "./mailbox-hop.ts";
import { openDesk } from "./open.ts";
import { createPostman } from "./postman.ts";
import { loadRefusalWords } from "./refusal-words.ts";
import { replyHop } from "./reply-hop.ts";
import type { Tokens } from "./tokens.ts";

export interface DeskHouse {
  readonly clock: Clock;
  readonly log: Log;
  readonly ids: Ids;
  readonly tokens: Tokens;
  readonly store: Store;
  readonly clients: Pick<ClientRegister, "list">;
  readonly consents: ConsentRegister;
  readonly recorder: Recorder;
  readonly flights: Flights;
  /** In force now. */
  readonly law: {
    readonly config: Config;
    readonly choice: PackChoice;
    readonly signing?: { own(whole: Buffer): Promise<Buffer> } | undefined;
  };
}

/** The desk of a running service. */
export interface DeskService {
  readonly desk: Desk;
  /** The next hop with the desk's mailbox in front. @param swallows see mailbox-hop.ts */
  inFrontOf(hop: NextHop, swallows: boolean): NextHop;
  /** The outbox is looked through again and again, by one process for all: what commands and others laid out, what was put off. */
  readonly rounds: Duty;
  /** No notice is sent any more; the one being sent may end. */
  close(): Promise<void>;
}

/** Between two rounds of the outbox. */
const ROUND_EVERY_MS = 30_000;

/** @param nextHop where our own mails go, asked anew each time */
export function openDeskService(house: DeskHouse, nextHop: () => NextHop): DeskService {
  const { clock, store, clients, consents, recorder, flights, tokens } = house;
  const ground = { clock, tables: store.tables, consents, recorder, flights };
  const { outbox, desk } = openDesk({ ...ground, law: () => house.law });
  const { address: sender, publicUrl } = house.law.config.refusals;
  const advertisers = createAdvertisers(clients.list, consents, clock);
  const refuses = loadRefusalWords();
  const address = (): string | undefined => house.law.config.refusals.address;
  const postman =
    sender === undefined
      ? undefined
      : createPostman({
          ...{ ...house, outbox, nextHop, address: sender, publicUrl, hostname: house.law.config.hostname },
          sign: async (whole) => (await house.law.signing?.own(whole)) ?? whole,
        });
  const prompt: Desk = {
    agree: desk.agree,
    async refuse(word) {
      const stood = await desk.refuse(word);
      void postman?.round();
      return stood;
    },
    async ask(question) {
      const asked = await desk.ask(question);
      void postman?.round();
      return asked;
    },
  };
  return {
    desk: prompt,
    inFrontOf: (hop, swallows) =>
      mailboxHop(
        replyHop(hop, { desk: prompt, advertisers, refuses }),
        { desk: prompt, tokens, address },
        { swallows },
      ),
    rounds: {
      name: "notices",
      begin: async () => every(ROUND_EVERY_MS, async () => postman?.round()),
    },
    close: async () => postman?.stop(),
  };
}
