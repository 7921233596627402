/** How much of a declared campaign is sent: recipients in all and a minute, counted over all workers and nodes. */
import type { Key, Windows } from "../kit/store.ts";
import type { Campaign, Client } from "../mail/client.ts";
import { clientSubject } from "./subject.ts";

/** What became of a mail's recipients. */
export interface CampaignGrant {
  /** What is used up; absent: they were taken. */
  readonly full?: "number" | "rate";
  /** Of that, how much was taken before. */
  readonly taken?: number;
  /** What goes back for each recipient who does not get the mail. */
  readonly keys: readonly Key[];
}

export interface CampaignCounts {
  /** Takes so many recipients, or none. @throws Unavailable */
  take(client: Client, campaign: Campaign, recipients: number): Promise<CampaignGrant>;
  /** Says what taking would say, and takes nothing. @throws Unavailable */
  look(client: Client, campaign: Campaign, recipients: number): Promise<CampaignGrant>;
}

const MINUTE_MS = 60_000;

export function createCampaignCounts(windows: Pick<Windows, "take" | "giveBack">): CampaignCounts {
  return {
    async take(client, campaign, n) {
      const taken: Key[] = [];
      for (const { key, full, max, windowMs } of boundsOf(client, campaign)) {
        const grant = await windows.take(key, { max, windowMs, n });
        if (!grant.granted) {
          await Promise.all(taken.map((each) => windows.giveBack(each, n)));
          return { full, taken: grant.taken, keys: [] };
        }
        taken.push(key);
      }
      return { keys: taken };
    },
    async look(client, campaign, n) {
      for (const { key, full, max, windowMs } of boundsOf(client, campaign)) {
        const { taken } = await windows.take(key, { max, windowMs, n: 0 });
        if (taken + n > max) return { full, taken, keys: [] };
      }
      return { keys: [] };
    },
  };
}

interface Bound {
  readonly full: "number" | "rate";
  readonly key: Key;
  readonly max: number;
  readonly windowMs: number;
}

/** A campaign that is declared anew, under the same name, is counted anew. */
function boundsOf({ id }: Client, { name, fromMs, untilMs, recipientsMax, perMinuteMax }: Campaign): Bound[] {
  const keyOf = (what: string): Key => ({ partition: clientSubject(id), id: `campaign ${name} ${fromMs} ${what}` });
  const number: Bound = { full: "number", key: keyOf("all"), max: recipientsMax, windowMs: untilMs - fromMs };
  if (perMinuteMax === undefined) return [number];
  return [number, { full: "rate", key: keyOf("minute"), max: perMinuteMax, windowMs: MINUTE_MS }];
}
