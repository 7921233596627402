/**
 * Advertising on its last step to the next hop, so that a refusal can wait for it, whichever process or node it is in.
 *
 * An advertisement writes its flight and then asks for the consent once more; a refusal is recorded and then looks for flights. The store keeps
 * one order of these four, so one of the two always sees the other: the mail is not handed over, or the refusal is not
 * acknowledged before the next hop has answered. A flight whose process died counts until no answer could come any more.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Clock } from "../kit/clock.ts";
import type { Row, Tables } from "../kit/store.ts";
import { Unavailable } from "../kit/trouble.ts";

/** One advertisement on its way. */
export interface Flight {
  /** To be called last before the final dot. @throws Unavailable when refusals no longer wait for this flight */
  confirm(): void;
  /** The next hop has answered, or never will. Never throws. */
  end(): Promise<void>;
}

export interface Flights {
  /**
   * From now on refusals wait for it. The consent is to be asked for after this resolved.
   * @param recipients address keys
   * @throws Unavailable
   */
  begin(advertiser: string, recipients: readonly string[], id: string): Promise<Flight>;
  /**
   * Waits, after a refusal was recorded, for what was judged before it.
   * @throws Unavailable when it takes too long: the refusal is recorded and must not be acknowledged yet
   */
  landed(advertiser: string, recipient: string): Promise<void>;
}

export interface FlightOptions {
  /** Longest wait for the next hop's answer after the final dot, ms. */
  readonly answerMs: () => number;
  /** How `landed` waits between two looks; for tests. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

const TABLE = "flights";
/** From the last look at the consent to the final dot. */
export const HANDOVER_MS_MAX = 30_000;
/** By so much clocks of nodes may differ. */
const SKEW_MS_MAX = 10_000;
/** How long whoever refuses waits for a word. */
export const LANDING_MS_MAX = 10_000;
const PAUSE_MS_MIN = 5;
const PAUSE_MS_MAX = 200;

/** Recipients, and until when it counts, ms since the epoch. */
const rowSchema = z.strictObject({ r: z.array(z.string()), u: z.number() });

export function createFlights(tables: Tables, clock: Clock, { answerMs, pause = sleep }: FlightOptions): Flights {
  const steadyMs = (): number => clock.steadyMs?.() ?? clock.now();
  const isOver = ({ value }: Row): boolean => rowSchema.parse(value).u < clock.now();
  const concerns = ({ value }: Row, recipient: string): boolean => rowSchema.parse(value).r.includes(recipient);

  /** Ids of the flights that concern a pair. What nobody ended is removed on the way. */
  async function flying(advertiser: string, recipient: string): Promise<Set<string>> {
    const ids = new Set<string>();
    for await (const row of tables.list(TABLE, advertiser)) {
      if (isOver(row)) await tables.remove(TABLE, row.key);
      else if (concerns(row, recipient)) ids.add(row.key.id);
    }
    return ids;
  }

  return {
    async begin(advertiser, recipients, id) {
      const key = { partition: advertiser, id };
      const startedMs = steadyMs();
      const until = clock.now() + HANDOVER_MS_MAX + answerMs() + SKEW_MS_MAX;
      await tables.put(TABLE, key, { r: recipients, u: until });
      return {
        confirm() {
          if (steadyMs() - startedMs <= HANDOVER_MS_MAX) return;
          throw new Unavailable("next-hop", `an advertisement was not handed over within ${HANDOVER_MS_MAX} ms`);
        },
        // What cannot be removed counts until its time is over.
        end: () =>
          tables.remove(TABLE, key).then(
            () => undefined,
            () => undefined,
          ),
      };
    },
    async landed(advertiser, recipient) {
      const startedMs = steadyMs();
      let waitedFor = await flying(advertiser, recipient);
      // Those that begin from now on see the refusal themselves.
      for (let ms = PAUSE_MS_MIN; waitedFor.size > 0; ms = Math.min(2 * ms, PAUSE_MS_MAX)) {
        if (steadyMs() - startedMs > LANDING_MS_MAX) {
          throw new Unavailable("next-hop", "advertising judged before a refusal is still being handed over");
        }
        await pause(ms);
        const still = await flying(advertiser, recipient);
        waitedFor = new Set([...waitedFor].filter((id) => still.has(id)));
      }
    },
  };
}
