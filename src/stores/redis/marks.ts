import type { Marks } from "../../kit/store.ts";
import { hashOf } from "../distinct.ts";
import { checkSpan } from "../window-state.ts";
import type { Connection } from "./connect.ts";
import { distinctKeys, firstKey } from "./keys.ts";

/** Marks in Redis: atomic over all nodes, and gone by themselves when their time is over. */
export function createRedisMarks(connection: Connection): Marks {
  return {
    async first(key, withinMs) {
      checkSpan(withinMs);
      const set = await connection.run((client) => client.set(firstKey(key), "1", "PX", withinMs, "NX"));
      return set === "OK";
    },
    async distinct(key, member, withinMs) {
      checkSpan(withinMs);
      const [newest, sample, state] = distinctKeys(key);
      return connection.run((client) => client.consentryDistinct(newest, sample, state, hashOf(member), withinMs));
    },
  };
}
