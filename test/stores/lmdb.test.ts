import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Misuse, Unavailable } from "../../src/kit/trouble.ts";
import { Environment } from "../../src/stores/lmdb/environment.ts";
import { openLmdbStore } from "../../src/stores/lmdb/store.ts";
import { storeContract } from "../contract/store.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { tempDir } from "../helpers/temp.ts";

const timeoutMs = 5_000;

storeContract("the embedded store", async () => {
  const clock = handClock();
  const store = await openLmdbStore({ dir: tempDir(), timeoutMs, clock });
  return { store, nowMs: clock.now, pass: clock.pass };
});

describe("the embedded store on disk", () => {
  const key = { partition: "p", id: "id" };

  it("remembers records, windows and marks after it was closed", async () => {
    const dir = tempDir();
    const clock = handClock();
    const first = await openLmdbStore({ dir, timeoutMs, clock });
    await first.tables.put("t", key, "kept");
    await first.windows.take(key, { max: 2, windowMs: 1_000, n: 2 });
    await first.marks.first(key, 1_000);
    await first.marks.distinct(key, "a", 1_000);
    await first.close();
    const second = await openLmdbStore({ dir, timeoutMs, clock });
    expect(await second.tables.get("t", key)).toEqual({ value: "kept", version: 1 });
    expect((await second.windows.take(key, { max: 2, windowMs: 1_000 })).granted).toBe(false);
    expect(await second.marks.first(key, 1_000)).toBe(false);
    expect(await second.marks.distinct(key, "b", 1_000)).toBe(2);
    await second.close();
  });

  it.each(["store", "signals"])("lets nobody but the owner into %s", async (part) => {
    const dir = tempDir();
    const store = await openLmdbStore({ dir, timeoutMs, clock: handClock() });
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect(mode(join(dir, part))).toBe("700");
    expect(mode(join(dir, part, "data.mdb"))).toBe("600");
    expect(mode(join(dir, part, "lock.mdb"))).toBe("600");
    await store.close();
  });

  it("works in a directory with a dot in its name", async () => {
    const dir = join(tempDir(), "relay.example.net");
    await (await openLmdbStore({ dir, timeoutMs, clock: handClock() })).close();
    expect(statSync(join(dir, "store", "data.mdb")).isFile()).toBe(true);
    const environment = new Environment({ dir: join(dir, "x.y"), names: ["rows"], dependency: "store", timeoutMs });
    expect(statSync(join(dir, "x.y", "data.mdb")).isFile()).toBe(true);
    await environment.close();
  });

  it("says what is wrong when a file is where its directory should be", async () => {
    const dir = tempDir();
    writeFileSync(join(dir, "store"), "");
    const open = () => openLmdbStore({ dir, timeoutMs, clock: handClock() });
    await expect(open()).rejects.toThrow(Misuse);
    await expect(open()).rejects.toThrow(join(dir, "store"));
  });

  it.each([
    ["something else", Buffer.alloc(20_000, "x")],
    ["nothing but zeros", Buffer.alloc(8_192)],
    ["cut off after its first page", undefined],
  ])("says that a data file is damaged when it is %s, and the process lives", async (_, content) => {
    const dir = tempDir();
    const file = join(dir, "store", "data.mdb");
    const open = () => openLmdbStore({ dir, timeoutMs, clock: handClock() });
    await (await open()).close();
    writeFileSync(file, content ?? readFileSync(file).subarray(0, 4_096));
    await expect(open()).rejects.toThrow(Unavailable);
    await expect(open()).rejects.toThrow(/data\.mdb is damaged/);
  });

  it("is unavailable once closed, and closes twice without complaint", async () => {
    const store = await openLmdbStore({ dir: tempDir(), timeoutMs, clock: handClock() });
    await store.ping();
    await store.close();
    await store.close();
    await expect(store.ping()).rejects.toThrow(Unavailable);
    await expect(store.tables.put("t", key, 1)).rejects.toMatchObject({ dependency: "store" });
  });

  it("finishes what waits when it is closed", async () => {
    const dir = tempDir();
    const keys = Array.from({ length: 50 }, (_, i) => ({ partition: "p", id: `id${i}` }));
    const store = await openLmdbStore({ dir, timeoutMs, clock: handClock() });
    const puts = keys.map((one) => store.tables.put("t", one, 1));
    await store.close();
    expect(await Promise.all(puts)).toEqual(keys.map(() => 1));
    const again = await openLmdbStore({ dir, timeoutMs, clock: handClock() });
    expect((await again.tables.getMany("t", keys)).every((row) => row?.value === 1)).toBe(true);
    await again.close();
  });

  it("drops windows and marks whose time is over while others are used", async () => {
    const dir = tempDir();
    const clock = handClock();
    const store = await openLmdbStore({ dir, timeoutMs, clock });
    const touch = (name: string) =>
      Promise.all(
        Array.from({ length: 2_000 }, async (_, i) => {
          const one = { partition: `${name}${i}`, id: "x" };
          await store.windows.take(one, { max: 1, windowMs: 1_000 });
          await store.marks.first(one, 1_000);
          await store.marks.distinct(one, "m", 1_000);
        }),
      );
    const sizes: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      await touch(`round${round}-`);
      await clock.pass(2_000);
      sizes.push(statSync(join(dir, "signals", "data.mdb")).size);
    }
    await store.close();
    // Without dropping, each round would add as much as the first: six times it in the end.
    expect(sizes.at(-1)).toBeLessThan((sizes[0] ?? 0) * 3);
  });
});
