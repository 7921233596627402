/**
 * Who may not send for a time, and why: made by what was noticed of somebody's conduct, or by the operator. Every block has an
 * end. One that is over is kept for a day, so that the next one can be longer and what was counted before counts no more.
 */
import type { Clock } from "../kit/clock.ts";
import { networksAround } from "../kit/ip.ts";
import { createRecent } from "../kit/recent.ts";
import type { Key, Tables, Value } from "../kit/store.ts";
import type { Session } from "../mail/views.ts";
import { clientSubject } from "./subject.ts";

const BLOCK_REASONS = ["harvesting", "spam-trap", "hijacked-login", "operator"] as const;
export type BlockReason = (typeof BLOCK_REASONS)[number];

export interface Block {
  /** A network as CIDR text, or "client:" and its id. */
  readonly subject: string;
  /** refuse: 5xx; hold: kept where there is a spool, else 4xx, until somebody has looked. */
  readonly action: "refuse" | "hold";
  readonly reason: BlockReason;
  /** What it rests on: "Order 38 (CN 2006) art. 12(2)". */
  readonly article: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Who made it: "consentry", or an operator. */
  readonly by: string;
  readonly note?: string;
  /** How many there were in a row, this one included. */
  readonly times: number;
  /** Somebody ended it before its time. */
  readonly liftedAtMs?: number;
}

/** How long a block that is over is remembered. */
export const REMEMBERED_MS = 86_400_000;

/** Lengths of the networks that can be blocked: each is looked up for every address. */
export const BLOCKABLE_BITS = {
  v4: Array.from({ length: 25 }, (_, i) => i + 8),
  v6: Array.from({ length: 29 }, (_, i) => i * 4 + 16),
} as const;

/** How old an answer may be: a block holds everywhere within this time. */
const BELIEVED_MS = 3_000;
const KNOWN_MAX = 20_000;

const TABLE = "blocks";
const keyOf = (subject: string): Key => ({ partition: subject, id: "block" });
const asBlock = (value: Value): Block => value as unknown as Block;

export const isActive = (block: Block, nowMs: number): boolean =>
  block.liftedAtMs === undefined && block.untilMs > nowMs;

/** What is known of a client or address. */
export interface Standing {
  readonly block?: Block;
  /** When somebody last let it off, ms since the epoch; what was counted before that counts no more. 0: never. */
  readonly sinceMs: number;
}

export interface BlockReader {
  /** At once when it was asked within seconds. @throws Unavailable when the store does not answer */
  of(session: Session): Standing | Promise<Standing>;
}

export interface BlockRegister extends BlockReader {
  /** Writes a block; the record before it, of the same subject, goes. */
  put(block: Block): Promise<void>;
  get(subject: string): Promise<Block | undefined>;
  /** Ends a block now. @returns it, or undefined when none stands */
  lift(subject: string): Promise<Block | undefined>;
  /** Every block that stands, in no promised order. */
  active(): AsyncIterable<Block>;
  /** Removes what was over long ago. @returns how many */
  sweep(): Promise<number>;
}

const isOperators = ({ reason }: Block): boolean => reason === "operator";

const NONE: Standing = Object.freeze({ sinceMs: 0 });

/** The register of blocks on any store. */
export function createBlockRegister(tables: Tables, clock: Clock): BlockRegister {
  const known = createRecent<Standing>(KNOWN_MAX);
  /** Of this process: what was looked up while one was made is not kept. */
  let changes = 0;
  const get = async (subject: string): Promise<Block | undefined> => {
    const row = await tables.get(TABLE, keyOf(subject));
    return row && asBlock(row.value);
  };
  const put = async (block: Block): Promise<void> => {
    await tables.put(TABLE, keyOf(block.subject), block as unknown as Value);
    changes += 1;
    known.clear();
  };
  const look = async (key: string, ip: string, own: string | undefined): Promise<Standing> => {
    const before = changes;
    const subjects = [...networksAround(ip, BLOCKABLE_BITS), ...(own === undefined ? [] : [own])];
    const rows = await tables.getMany(TABLE, subjects.map(keyOf));
    const nowMs = clock.now();
    const blocks = rows.flatMap((row) => (row ? [asBlock(row.value)] : []));
    // What we noticed of its neighbours is not a client's doing; what an operator says of a network holds for everybody in it.
    const concerned = own === undefined ? blocks : blocks.filter((each) => each.subject === own || isOperators(each));
    const standing = standingOf(concerned, nowMs);
    if (changes === before) known.set(key, standing, nowMs + BELIEVED_MS);
    return standing;
  };
  return {
    get,
    put,
    of(session) {
      const { client, inRelayNetworks, clientIp } = session;
      if (!client && inRelayNetworks) return NONE;
      const own = client && clientSubject(client.id);
      const key = own === undefined ? clientIp : `${own} ${clientIp}`;
      return known.get(key, clock.now()) ?? look(key, clientIp, own);
    },
    async lift(subject) {
      const block = await get(subject);
      if (!block || !isActive(block, clock.now())) return undefined;
      const lifted = { ...block, liftedAtMs: clock.now() };
      await put(lifted);
      return lifted;
    },
    async *active() {
      for await (const { value } of tables.scan(TABLE)) {
        if (isActive(asBlock(value), clock.now())) yield asBlock(value);
      }
    },
    async sweep() {
      let removed = 0;
      for await (const { key, value } of tables.scan(TABLE)) {
        if (asBlock(value).untilMs + REMEMBERED_MS > clock.now()) continue;
        if (await tables.remove(TABLE, key)) removed += 1;
      }
      return removed;
    },
  };
}

/** The narrowest block that stands says why; the latest pardon says since when is counted. */
function standingOf(blocks: readonly Block[], nowMs: number): Standing {
  const block = blocks.findLast((each) => isActive(each, nowMs));
  const sinceMs = Math.max(0, ...blocks.map(({ liftedAtMs = 0 }) => liftedAtMs));
  return block ? { block, sinceMs } : sinceMs === 0 ? NONE : { sinceMs };
}
