import { existsSync } from "node:fs";
import type { Fault } from "./fault.ts";
import { clusterRedis, sentinelRedis, singleRedis } from "./redis.ts";

export const STORES = ["redis", "embedded", "sentinel", "cluster"] as const;
export type StoreName = (typeof STORES)[number];

export interface StoreWorld {
  readonly url: string;
  readonly faults: readonly Fault[];
  /** Why it is another store than the one asked for. */
  readonly instead?: string;
  close(): Promise<void>;
}

const OF_REDIS = { redis: singleRedis, sentinel: sentinelRedis, cluster: clusterRedis };
const hasRedis = ["redis-server", "redis-cli"].every((name) =>
  (process.env.PATH ?? "").split(":").some((dir) => existsSync(`${dir}/${name}`)),
);

/** What remembers, and what can happen to it. Without Redis on this machine it is the embedded store, and says so. */
export async function openStoreWorld(name: StoreName, work: string): Promise<StoreWorld> {
  const embedded = { url: "embedded:", faults: [], close: async () => undefined };
  if (name === "embedded") return embedded;
  if (!hasRedis)
    return { ...embedded, instead: `${name}: there is no redis-server here (apt-get install redis-server)` };
  return OF_REDIS[name](work);
}
