/**
 * How often the same text was seen lately: distinct recipients, senders and networks of each key of its fingerprint, counted
 * in the store's marks and so by all workers and nodes together. No text, no address: keys are hashes, members are hashed
 * by the store.
 */
import type { Marks } from "../kit/store.ts";
import { countOf } from "./fingerprint.ts";

/** How many different ones within the window; 0: nobody counted. */
export interface Copies {
  readonly recipients: number;
  readonly senders: number;
  readonly networks: number;
}

export const NOT_COUNTED: Copies = Object.freeze({ recipients: 0, senders: 0, networks: 0 });

/** One mail, as it is counted. */
export interface Sighting {
  /** Of its fingerprint; none for a text too short to be told from others. */
  readonly keys: readonly string[];
  /** Address keys. */
  readonly recipients: readonly string[];
  readonly sender: string;
  readonly network: string;
}

export interface BulkCounter {
  /** Counts a mail in and tells how many copies there are with it. @throws Unavailable when the store is away */
  see(sighting: Sighting): Promise<Copies>;
}

/** Recipients of one mail that are counted by name; the others are added to the result. Bounds the work of one mail. */
const RECIPIENTS_MAX = 20;
/** Senders and networks are counted from so many recipients on: most texts never come so far. */
const SCATTER_FROM = 5;

export function createBulkCounter(marks: Marks, windowMs: number): BulkCounter {
  const distinct = async (keys: readonly string[], what: string, members: readonly string[]): Promise<number> => {
    const counts = await Promise.all(
      keys.map(async (key) => {
        const each = members.map((member) => marks.distinct({ partition: `text:${key}`, id: what }, member, windowMs));
        return Math.max(...(await Promise.all(each)));
      }),
    );
    return countOf(counts);
  };
  return {
    async see({ keys, recipients, sender, network }) {
      if (keys.length === 0 || recipients.length === 0) return NOT_COUNTED;
      const named = recipients.slice(0, RECIPIENTS_MAX);
      const counted = (await distinct(keys, "recipients", named)) + recipients.length - named.length;
      if (counted < SCATTER_FROM) return { recipients: counted, senders: 1, networks: 1 };
      const [senders, networks] = await Promise.all([
        distinct(keys, "senders", [sender]),
        distinct(keys, "networks", [network]),
      ]);
      return { recipients: counted, senders, networks };
    },
  };
}
