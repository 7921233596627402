/** Conduct on a store in memory, with a clock turned by hand; pauses take no time and are written down. */
import type { Store } from "../../src/kit/store.ts";
import type { Reply } from "../../src/mail/replies.ts";
import type { Session } from "../../src/mail/views.ts";
import { harvestOptions } from "../../src/rules/conduct/harvesting.ts";
import { loginOptions } from "../../src/rules/conduct/hijacked-login.ts";
import { suspendedOptions } from "../../src/rules/relay/suspended.ts";
import type { Block } from "../../src/signals/blocks.ts";
import { type Conduct, createConduct } from "../../src/signals/conduct.ts";
import type { Facts } from "../../src/signals/warden.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { recipientOf, senderOf } from "./described.ts";
import { type HandClock, handClock } from "./hand-clock.ts";

export interface ConductSetup {
  readonly harvest?: Readonly<Record<string, unknown>>;
  readonly login?: Readonly<Record<string, unknown>>;
  /** The operator only watches. */
  readonly watched?: boolean;
  /** Another node on the same store. */
  readonly sharing?: Setting;
}

export interface Setting {
  readonly conduct: Conduct;
  readonly store: Store;
  readonly clock: HandClock;
  readonly blocks: { readonly block: Block; readonly facts: Facts }[];
  readonly pauses: number[];
  readonly troubles: unknown[];
}

export function conductOn({ harvest = {}, login = {}, watched = false, sharing }: ConductSetup = {}): Setting {
  const clock = sharing?.clock ?? handClock();
  const store = sharing?.store ?? createMemoryStore(clock);
  const blocks: Setting["blocks"] = [];
  const pauses: number[] = [];
  const troubles: unknown[] = [];
  const settings = {
    complaints: suspendedOptions.parse({}),
    harvest: { options: harvestOptions.parse(harvest), acts: () => !watched },
    login: { options: loginOptions.parse(login), acts: () => !watched },
  };
  const conduct = createConduct({
    store,
    clock,
    settings: () => settings,
    onBlock: async (block, facts) => void blocks.push({ block, facts }),
    onTrouble: (error) => void troubles.push(error),
    pause: async (ms) => void pauses.push(ms),
  });
  return { conduct, store, clock, blocks, pauses, troubles };
}

export const FOUND: Reply = { code: 250, enhanced: "2.1.5", lines: ["ok"] };
export const UNKNOWN: Reply = { code: 550, enhanced: "5.1.1", lines: ["no such user"] };

/** Asks for recipients one after the other; what the next hop says of each. */
export async function askFor(
  { conduct }: Setting,
  session: Session,
  locals: readonly string[],
  reply: Reply = UNKNOWN,
): Promise<Reply[]> {
  const replies: Reply[] = [];
  for (const local of locals) {
    const view = { session, mailId: "mail", sender: senderOf() };
    const ask = async () => ({ reply, asked: true });
    replies.push(await conduct.rcpt(view, recipientOf(`${local}@example.com`), ask));
  }
  return replies;
}
