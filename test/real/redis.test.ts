import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import type { Store } from "../../src/kit/store.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { openStore } from "../../src/stores/open.ts";
import { storeContract, type World } from "../contract/store.ts";
import {
  hasRedis,
  type RedisCluster,
  type RedisSentinelSet,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from "../helpers/redis.ts";
import { until } from "../helpers/wait.ts";

const options = { dataDir: "unused", timeoutMs: 5_000, clock: systemClock };
const inRealTime = { nowMs: () => Date.now(), pass: (ms: number) => delay(Math.max(0, ms)) };

const withoutCommand = (name: string): string[] => ["--rename-command", name, ""];

async function open(url: string): Promise<World> {
  return { store: await openStore(url, options), ...inRealTime };
}

describe.skipIf(!hasRedis)("Redis (needs redis-server and redis-cli)", () => {
  storeContract("a Redis server", async () => open((await startRedis()).url));

  storeContract("a Redis server with a password, in its database 3", async () => {
    const { url } = await startRedis({ password: "pa:ss@wo/rd%" });
    return open(`${url}/3`);
  });

  storeContract("a Redis Cluster of three masters", async () => open((await startRedisCluster()).url));

  describe("a Cluster", () => {
    let cluster: RedisCluster;
    let store: Store;
    beforeAll(async () => {
      cluster = await startRedisCluster();
      store = await openStore(cluster.url, options);
    });
    afterAll(() => store.close());

    it("holds records on every master, and scan finds them all", async () => {
      const rows = Array.from({ length: 300 }, (_, i) => ({ key: { partition: `p${i}`, id: "x" }, value: i }));
      await store.tables.putMany("spread", rows);
      const sizes = await Promise.all(cluster.nodes.map(async (node) => Number(await node.cli("dbsize"))));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(300);
      expect(Math.min(...sizes)).toBeGreaterThan(50);
      const found: unknown[] = [];
      for await (const { value } of store.tables.scan("spread")) found.push(value);
      expect(new Set(found).size).toBe(300);
    });

    it("keeps serving the other slots' records while a slot moves to another master", async () => {
      const key = { partition: "moving", id: "x" };
      await store.tables.put("t", key, "before");
      const [slot] = (await cluster.nodes[0]?.cli("cluster", "keyslot", "c:{moving}:t"))?.split("\n") ?? [];
      const ids = await Promise.all(cluster.nodes.map((node) => node.cli("cluster", "myid")));
      const owner = await ownerOf(cluster, Number(slot));
      const target = (owner + 1) % 3;
      await cluster.nodes[target]?.cli("cluster", "setslot", String(slot), "importing", ids[owner] ?? "");
      await cluster.nodes[owner]?.cli("cluster", "setslot", String(slot), "migrating", ids[target] ?? "");
      const port = String(cluster.nodes[target]?.port);
      await cluster.nodes[owner]?.cli("migrate", "127.0.0.1", port, "c:{moving}:t", "0", "5000");
      expect(await store.tables.get("t", key)).toEqual({ value: "before", version: 1 });
      expect(await store.tables.put("t", key, "during", 1)).toBe(2);
      for (const node of cluster.nodes) await node.cli("cluster", "setslot", String(slot), "node", ids[target] ?? "");
      expect(await store.tables.put("t", key, "after", 2)).toBe(3);
    });
  });

  describe("a master watched by a Sentinel", () => {
    let set: RedisSentinelSet;
    beforeAll(async () => {
      set = await startRedisSentinel();
    });
    storeContract("a master found by a Sentinel, with passwords", async () => open(set.url));

    it("is followed to the replica when the master dies", async () => {
      const store = await openStore(set.url, { ...options, timeoutMs: 1_000 });
      const key = { partition: "p", id: "survives" };
      await store.tables.put("t", key, "kept");
      await until("the replica has it", async () => (await set.replica.cli("hexists", "c:{p}:t", "survives")) === "1");
      set.master.program.signal("SIGKILL");
      await set.master.program.exited;
      await until("the store answers again", () => store.tables.put("t", key, "from the replica"), 30_000);
      expect(await set.replica.cli("hget", "c:{p}:t", "survives")).toMatch(/^\d\|"from the replica"$/);
      await store.close();
    });
  });

  describe("a server that refuses us", () => {
    it.each([
      ["a wrong password", ":wr0ng-secret@", { password: "r1ght-secret" }],
      ["a wrong user", "nobody:wr0ng-secret@", { password: "r1ght-secret" }],
      ["no password", "", { password: "r1ght-secret" }],
      // It repeats what it did not understand, the password too.
      ["commands it was told not to know", ":wr0ng-secret@", { args: ["HELLO", "AUTH"].flatMap(withoutCommand) }],
    ])("is unavailable with %s, and no password is told", async (_, login, server) => {
      const { port } = await startRedis(server);
      const reasons: string[] = [];
      const onState = (up: boolean, why?: string) => void reasons.push(`${up} ${why}`);
      const store = await openStore(`redis://${login}127.0.0.1:${port}`, { ...options, timeoutMs: 500, onState });
      const error = await store.ping().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Unavailable);
      expect(reasons).toHaveLength(1);
      expect(reasons[0]).toMatch(/^false .*(WRONGPASS|NOAUTH|unknown command)/);
      const told = [String(error), JSON.stringify(error), String((error as Error).cause), ...reasons].join(" ");
      expect(told).not.toMatch(/secret/);
      await store.close();
    });
  });

  it("keeps working when the scripts are flushed from the server", async () => {
    const server = await startRedis();
    const store = await openStore(server.url, options);
    const key = { partition: "p", id: "id" };
    await store.tables.put("t", key, 1);
    await server.cli("script", "flush");
    const versions = await Promise.all(Array.from({ length: 20 }, () => store.tables.put("t", key, 2)));
    expect(Math.max(...versions.map((version) => version ?? 0))).toBe(21);
    await store.close();
  });

  it("lets windows and marks expire on the server", async () => {
    const server = await startRedis();
    const store = await openStore(server.url, options);
    const key = { partition: "p", id: "id" };
    await store.windows.take(key, { max: 5, windowMs: 300, n: 2 });
    await store.windows.giveBack(key);
    await store.marks.first(key, 300);
    await store.marks.distinct(key, "m", 300);
    expect(await server.cli("dbsize")).toBe("3");
    await until("all keys are gone", async () => (await server.cli("dbsize")) === "0");
    await store.close();
  });
});

async function ownerOf(cluster: RedisCluster, slot: number): Promise<number> {
  const replies = await Promise.all(
    cluster.nodes.map(async (node) => /myself.* connected (\d+)-(\d+)/.exec(await node.cli("cluster", "nodes"))),
  );
  return replies.findIndex((reply) => reply && slot >= Number(reply[1]) && slot <= Number(reply[2]));
}
