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

describe("windows of the embedded store, shared by processes", () => {
  const WINDOWS = 400;
  const taken = async (dir: string, max: number): Promise<number[]> => {
    const store = await openLmdbStore({ dir, timeoutMs: 10_000, clock: systemClock });
    const looks = Array.from({ length: WINDOWS }, (_, number) =>
      store.windows.take({ partition: `reader${number}@x.example`, id: "cap" }, { max, windowMs: 86_400_000, n: 0 }),
    );
    const counts = (await Promise.all(looks)).map((grant) => grant.taken);
    await store.close();
    return counts;
  };
  const granted = (lines: readonly string[]): number[] => {
    const counts: number[] = Array.from({ length: WINDOWS }, () => 0);
    for (const line of lines) {
      const number = Number(/^granted (\d+)$/.exec(line)?.[1] ?? Number.NaN);
      if (!Number.isNaN(number)) counts[number] = (counts[number] ?? 0) + 1;
    }
    return counts;
  };

  it("grant three processes together exactly what there is, however much they give back in between", async () => {
    const MAX = 10;
    const dir = tempDir();
    const args = ["take", dir, String(WINDOWS), String(MAX)];
    const children = await Promise.all([1, 2, 3].map(() => startNode(CHILD, args)));
    for (const child of children) expect(await child.exited).toEqual({ code: 0, signal: null });
    const counts = await taken(dir, MAX);
    expect(granted(children.flatMap(({ lines }) => [...lines]))).toEqual(counts);
    expect(counts.every((count) => count <= MAX)).toBe(true);
    // What one gives back when the others were refused stays.
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(WINDOWS * MAX * 0.8);
  });

  it("count everything that was granted by processes that are killed, and never more than there is", async () => {
    const MAX = 1_000;
    const dir = tempDir();
    const said: string[] = [];
    for (let run = 0; run < KILLS; run += 1) {
      const child = await startNode(CHILD, ["take", dir, String(WINDOWS), String(MAX)]);
      await until("something was granted", () => child.lines.length > 20);
      await delay(Math.random() * 50);
      await kill(child);
      said.push(...child.lines);
    }
    const counts = await taken(dir, MAX);
    expect(said.length).toBeGreaterThan(KILLS * 20);
    expect(granted(said).filter((count, number) => count > (counts[number] ?? 0))).toEqual([]);
    expect(counts.every((count) => count <= MAX)).toBe(true);
  });
});
