import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { openLmdbStore } from "../../src/stores/lmdb/store.ts";
import { keptIds } from "../helpers/kept-ids.ts";
import { type Program, startNode } from "../helpers/process.ts";
import { tempDir } from "../helpers/temp.ts";
import { until } from "../helpers/wait.ts";

const CHILD = fileURLToPath(new URL("../helpers/lmdb-child.ts", import.meta.url));
const KILLS = 20;
/** What a busy machine may add to a bound before this counts as unbounded. */
const SLACK_MS = 1_500;

/** Kills with no chance to say goodbye. */
async function kill(child: Program): Promise<void> {
  child.signal("SIGKILL");
  await child.exited;
}

describe.each(["table", "journal"] as const)("kill -9 of a process that writes to a %s", (kind) => {
  it(`loses nothing that had been said to be durable, over ${KILLS} kills at random moments`, async () => {
    const dir = tempDir();
    const said: string[] = [];
    for (let run = 0; run < KILLS; run += 1) {
      const child = await startNode(CHILD, ["write", kind, dir, `run${run}`]);
      await until("something is durable", () => child.lines.length > 0);
      await delay(Math.random() * 100);
      await kill(child);
      said.push(...child.lines);
    }
    const kept = await keptIds(kind, dir);
    expect(said.length).toBeGreaterThan(KILLS * 8);
    expect(said.filter((id) => !kept.has(id))).toEqual([]);
  });

  it("lets another go on writing, again and again", async () => {
    const dir = tempDir();
    const said: string[] = [];
    const survivor = await startNode(CHILD, ["write", kind, dir, "survivor"]);
    for (let run = 0; run < 5; run += 1) {
      const child = await startNode(CHILD, ["write", kind, dir, `victim${run}`]);
      await until("both write", () => child.lines.length > 20 && survivor.lines.length > 20);
      await kill(child);
      said.push(...child.lines);
      const before = survivor.lines.at(-1);
      await until("the survivor writes on", () => survivor.lines.at(-1) !== before);
    }
    await kill(survivor);
    said.push(...survivor.lines);
    const kept = await keptIds(kind, dir);
    expect(said.filter((id) => !kept.has(id))).toEqual([]);
  });
});

describe("the embedded store shared by processes", () => {
  const key = { partition: "p", id: "counter" };

  it("loses no increment of two processes that count 500 times each", async () => {
    const dir = tempDir();
    const store = await openLmdbStore({ dir, timeoutMs: 10_000, clock: systemClock });
    const children = await Promise.all([1, 2].map(() => startNode(CHILD, ["count", dir, "500"])));
    for (const child of children) expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(await store.tables.get("t", key)).toEqual({ value: 1000, version: 1000 });
    await store.close();
  });

  it("is unavailable, within its bound and then at once, while another process sits on the lock; and works again", async () => {
    const timeoutMs = 500;
    const dir = tempDir();
    const store = await openLmdbStore({ dir, timeoutMs, clock: systemClock });
    const child = await startNode(CHILD, ["hold", dir]);
    await child.waitForLine(/holding/);
    const put = async (): Promise<number> => {
      const startedAt = performance.now();
      await expect(store.tables.put("t", key, 1)).rejects.toBeInstanceOf(Unavailable);
      return performance.now() - startedAt;
    };
    const waits = await Promise.all([put(), put(), put()]);
    expect(Math.max(...waits)).toBeLessThan(timeoutMs + SLACK_MS);
    expect(await put()).toBeLessThan(timeoutMs / 2);
    expect(await store.tables.get("t", key)).toBeUndefined();
    child.signal("SIGCONT");
    const version = await until("writes work again", () => store.tables.put("t", key, "after", 0));
    // What had timed out while it waited was never written.
    expect(version).toBe(1);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    await store.close();
  });
});
