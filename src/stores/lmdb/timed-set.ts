import { NEVER, type TimedSet } from "../distinct.ts";
import { endOf, TIME_BYTES, timeBytes } from "./keys.ts";
import type { Dbs, Rows } from "./open.ts";

/**
 * A timed set as rows of two databases: `members` finds a hash's time, `order` sorts by it. To be used inside one
 * transaction.
 *
 * @param prefix of all its rows, ending in 00
 * @param count how many it holds, as remembered by the caller, who asks `size()` when done
 */
export function openTimedSet(
  { members, order }: Pick<Dbs<"members" | "order">, "members" | "order">,
  prefix: Buffer,
  count: number,
): TimedSet {
  let size = count;
  const memberKey = (hash: string): Buffer => Buffer.concat([prefix, Buffer.from(hash, "hex")]);
  const orderKey = (hash: string, atMs: number): Buffer =>
    Buffer.concat([prefix, timeBytes(atMs), Buffer.from(hash, "hex")]);
  const forget = (hash: string, atMs: number): void => {
    void members.remove(memberKey(hash));
    void order.remove(orderKey(hash, atMs));
    size -= 1;
  };
  const oldestFirst = (end: Buffer, limit?: number): [string, number][] =>
    readOrder(order, { prefix, end, ...(limit && { limit }) });

  return {
    size: () => size,
    touch(hash, atMs) {
      const last = members.get(memberKey(hash));
      if (last === undefined) size += 1;
      else void order.remove(orderKey(hash, Number(last)));
      void members.put(memberKey(hash), String(atMs));
      void order.put(orderKey(hash, atMs), "1");
    },
    dropUntil(atMs) {
      const end = Buffer.concat([prefix, timeBytes(atMs + 1)]);
      for (const [hash, lastMs] of oldestFirst(end)) forget(hash, lastMs);
    },
    dropOldest() {
      const [hash, lastMs] = oldestFirst(endOf(prefix), 1)[0] ?? ["", NEVER];
      if (hash !== "") forget(hash, lastMs);
      return lastMs;
    },
    dropIf(test) {
      for (const [hash, lastMs] of oldestFirst(endOf(prefix))) if (test(hash)) forget(hash, lastMs);
    },
    clear() {
      for (const [hash, lastMs] of oldestFirst(endOf(prefix))) forget(hash, lastMs);
    },
    entries: () => oldestFirst(endOf(prefix)),
  };
}

function readOrder(order: Rows, range: { prefix: Buffer; end: Buffer; limit?: number }): [string, number][] {
  const { prefix, end, limit } = range;
  const keys = [...order.getKeys({ start: prefix, end, ...(limit && { limit }) })];
  return keys.map((key) => {
    const bytes = Buffer.from(key).subarray(prefix.length);
    return [bytes.toString("hex", TIME_BYTES), bytes.readUIntBE(0, TIME_BYTES)];
  });
}
