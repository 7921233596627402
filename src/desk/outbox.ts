import { z } from "zod";
import type { Clock } from "../kit/clock.ts";
import type { Key, Tables, Value } from "../kit/store.ts";

const noticeSchema = z.strictObject({
  /** `refused`: confirms a refusal; `asked`: asks for a consent. */
  kind: z.enum(["refused", "asked"]),
  advertiser: z.string(),
  /** Address key. */
  recipient: z.string(),
  /** When it was caused, ms since the epoch. */
  atMs: z.number(),
  /** Languages of the text, the recipient's first. */
  languages: z.array(z.enum(["en", "zh", "vi"])).min(1),
  /** What the recipient is asked to agree to (asked). */
  topics: z.array(z.string()).default([]),
  /** Set while somebody is sending it. */
  takenAtMs: z.number().optional(),
});

/** A mail of our own that is still to be sent. */
export type Notice = Readonly<z.infer<typeof noticeSchema>>;

/** Mails of our own that are due, kept in the store until the next hop has them, shared by all workers and nodes. */
export interface Outbox {
  /** Durable when it resolves. One for each kind, pair and moment: adding it again changes nothing. */
  add(notice: Notice): Promise<void>;
  /**
   * Takes one to send it. Nobody else gets it then: whoever dies while he sends leaves it unsent or sent once, never twice.
   * @returns undefined when there is none
   */
  take(): Promise<Notice | undefined>;
  /** The next hop has it, or never will. */
  done(notice: Notice): Promise<void>;
  /** It was certainly not sent: for another try. */
  giveBack(notice: Notice): Promise<void>;
  /** Those that somebody took longer ago than this and did not end: sent once, or not at all. They are removed. */
  lost(olderThanMs: number): Promise<Notice[]>;
}

const TABLE = "notices";
const PARTITION = "all";
const keyOf = ({ kind, advertiser, recipient, atMs }: Notice): Key => ({
  partition: PARTITION,
  id: [kind, advertiser, recipient, atMs].join(" "),
});

export function createOutbox(tables: Tables, clock: Clock): Outbox {
  return {
    async add(notice) {
      await tables.put(TABLE, keyOf(notice), notice as unknown as Value, 0);
    },
    async take() {
      for await (const { key, value, version } of tables.list(TABLE, PARTITION)) {
        const notice = noticeSchema.parse(value);
        if (notice.takenAtMs !== undefined) continue;
        const taken = { ...notice, takenAtMs: clock.now() };
        if (await tables.put(TABLE, key, taken as unknown as Value, version)) return taken;
      }
      return undefined;
    },
    async done(notice) {
      await tables.remove(TABLE, keyOf(notice));
    },
    async giveBack({ takenAtMs: _, ...notice }) {
      await tables.put(TABLE, keyOf(notice), notice as unknown as Value);
    },
    async lost(olderThanMs) {
      const found: Notice[] = [];
      for await (const { value } of tables.list(TABLE, PARTITION)) {
        const notice = noticeSchema.parse(value);
        if (notice.takenAtMs !== undefined && notice.takenAtMs < clock.now() - olderThanMs) found.push(notice);
      }
      const ours: Notice[] = [];
      // Of several who find the same one, only one may say so.
      for (const notice of found) if (await tables.remove(TABLE, keyOf(notice))) ours.push(notice);
      return ours;
    },
  };
}
