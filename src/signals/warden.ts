/**
 * Makes blocks of what was noticed: once for each subject however many mails notice it at the same time, longer each time it
 * happens again within a day, written down and told to whoever made the service.
 */
import type { Clock } from "../kit/clock.ts";
import type { Marks } from "../kit/store.ts";
import { type Block, type BlockReason, type BlockRegister, isActive, REMEMBERED_MS } from "./blocks.ts";

/** Small facts for the ledger. */
export type Facts = Readonly<Record<string, string | number | boolean>>;

export interface Offence {
  readonly subject: string;
  readonly action: Block["action"];
  readonly reason: Exclude<BlockReason, "operator">;
  /** The first time so long, then twice as long, at most … */
  readonly forMs: number;
  readonly atMostMs: number;
  readonly facts: Facts;
}

export interface Warden {
  /** @returns the block, or undefined where one stands already. @throws Unavailable */
  block(offence: Offence): Promise<Block | undefined>;
}

export interface WardenParts {
  readonly blocks: BlockRegister;
  readonly marks: Marks;
  readonly clock: Clock;
  /** Writes it down. May fail with Unavailable: the block stands all the same. */
  readonly onBlock: (block: Block, facts: Facts) => Promise<void>;
}

/** Who makes blocks that no operator made. */
export const OURSELVES = "consentry";

export const ARTICLES: Readonly<Record<BlockReason, string>> = {
  harvesting: "Order 38 (CN 2006) art. 12(2)",
  "spam-trap": "Order 38 (CN 2006) art. 12(2)",
  "hijacked-login": "Order 38 (CN 2006) art. 12(1)",
  operator: "Order 38 (CN 2006) art. 7",
};

/** How often long gone blocks are removed, by whichever process is first. */
const SWEEP_MS = 3_600_000;

export function createWarden({ blocks, marks, clock, onBlock }: WardenParts): Warden {
  const making = new Map<string, Promise<Block | undefined>>();
  const make = async ({ subject, action, reason, forMs, atMostMs, facts }: Offence): Promise<Block | undefined> => {
    const nowMs = clock.now();
    const before = await blocks.get(subject);
    if (before && isActive(before, nowMs)) return undefined;
    const again = before !== undefined && before.untilMs + REMEMBERED_MS > nowMs && before.liftedAtMs === undefined;
    const times = again ? before.times + 1 : 1;
    const untilMs = nowMs + Math.min(atMostMs, forMs * 2 ** Math.min(20, times - 1));
    const block: Block = {
      subject,
      action,
      reason,
      article: ARTICLES[reason],
      fromMs: nowMs,
      untilMs,
      by: OURSELVES,
      times,
    };
    await blocks.put(block);
    await onBlock(block, facts);
    if (await marks.first({ partition: "blocks", id: "sweep" }, SWEEP_MS)) await blocks.sweep();
    return block;
  };
  return {
    block(offence) {
      const running = making.get(offence.subject);
      if (running) return running;
      const work = make(offence).finally(() => making.delete(offence.subject));
      making.set(offence.subject, work);
      return work;
    },
  };
}
