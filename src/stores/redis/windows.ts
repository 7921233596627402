import type { Windows } from "../../kit/store.ts";
import { checkAmount, checkQuota } from "../window-state.ts";
import type { Connection } from "./connect.ts";
import { windowKey } from "./keys.ts";

/** Windows in Redis: one script a step, by Redis's clock, atomic over all nodes. */
export function createRedisWindows(connection: Connection): Windows {
  return {
    async take(key, quota) {
      const { max, windowMs, n } = checkQuota(quota);
      const [granted, taken, freesAtMs] = await connection.run((client) =>
        client.consentryTake(windowKey(key), max, windowMs, n),
      );
      return { granted: granted === 1, taken, freesAtMs };
    },
    async giveBack(key, n = 1) {
      checkAmount(n);
      await connection.run((client) => client.consentryGiveBack(windowKey(key), n));
    },
  };
}
