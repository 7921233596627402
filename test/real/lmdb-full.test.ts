import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { openLmdbStore } from "../../src/stores/lmdb/store.ts";
import { collect } from "../contract/tables.ts";
import { startNode } from "../helpers/process.ts";
import { canMount, mountSmallDisk } from "../helpers/small-disk.ts";
import { until } from "../helpers/wait.ts";

const CHILD = fileURLToPath(new URL("../helpers/lmdb-child.ts", import.meta.url));
const PAGE = 4096;

const entry = (i: number): Entry => ({ id: `E${i}`, at: i, event: "received", reply: "x".repeat(500) });

/** Repeats until it fails. @returns how often it worked, and the failure */
async function untilRefused(work: (i: number) => Promise<unknown>): Promise<{ worked: number; error: unknown }> {
  for (let i = 0; i < 10_000; i += 1) {
    try {
      await work(i);
    } catch (error) {
      return { worked: i, error };
    }
  }
  throw new Error("the disk never became full");
}

describe.skipIf(!canMount())("a full disk under what remembers (needs root, to mount a small tmpfs)", () => {
  it("refuses appends to the journal as Unavailable, keeps what it took, and takes more when there is space", async () => {
    const disk = mountSmallDisk(2_000_000);
    const journal = await openJournal(join(disk.dir, "ledger"));
    await journal.append([entry(0)]);
    disk.fill(20 * PAGE);
    const { worked, error } = await untilRefused((i) => journal.append([entry(i + 1)]));
    expect(error).toBeInstanceOf(Unavailable);
    expect(error).toMatchObject({ dependency: "ledger" });
    const appends = Array.from({ length: 20 }, (_, i) => journal.append([entry(5_000 + i)]));
    const outcomes = await Promise.allSettled(appends);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["rejected"]));
    expect(await collect(journal.find({}))).toHaveLength(worked + 1);
    expect(readdirSync(join(disk.dir, "ledger")).length, "a full disk does not fill with names").toBeLessThan(30);
    disk.clear();
    await until("there is space again", async () => {
      await journal.append([entry(9_000)]);
      return true;
    });
    expect((await collect(journal.find({}))).map(({ id }) => id)).toHaveLength(worked + 2);
    await journal.close();
  });

  it("refuses records, windows and marks as Unavailable, and takes them when there is space", async () => {
    const disk = mountSmallDisk(2_000_000);
    const store = await openLmdbStore({ dir: disk.dir, timeoutMs: 2_000, clock: systemClock });
    const key = (i: number) => ({ partition: `p${i}`, id: "x".repeat(300) });
    const operations: readonly ((i: number) => Promise<unknown>)[] = [
      (i) => store.tables.put("t", key(i), "v".repeat(300)),
      (i) => store.windows.take(key(i), { max: 1, windowMs: 60_000 }),
      (i) => store.marks.first(key(i), 60_000),
      (i) => store.marks.distinct(key(i), "m", 60_000),
    ];
    await store.tables.put("t", key(0), "kept");
    disk.fill(4 * PAGE);
    for (const operation of operations) {
      const { error } = await untilRefused((i) => operation(i + 1));
      expect(error).toMatchObject({ name: "Unavailable", dependency: "store" });
    }
    expect((await store.tables.get("t", key(0)))?.value).toBe("kept");
    disk.clear();
    for (const operation of operations) {
      await until("there is space again", async () => {
        await operation(20_000);
        return true;
      });
    }
    await store.close();
  });

  it("is opened for the first time, or refused, whatever space is left; never does the process die of it", async () => {
    const disk = mountSmallDisk(2_000_000);
    for (let pages = 0; pages <= 36; pages += 3) {
      const dir = join(disk.dir, `left${pages}`);
      disk.fill(pages * PAGE);
      const child = await startNode(CHILD, ["count", dir, "3"]);
      const { signal } = await child.exited;
      expect({ pages, signal, says: child.lines.join(" ") }).toMatchObject({
        signal: null,
        says: expect.stringMatching(/done|Unavailable.*(no space left|ENOSPC|i\/o error)/),
      });
      disk.clear();
      const again = await startNode(CHILD, ["count", dir, "3"]);
      expect(await again.exited).toEqual({ code: 0, signal: null });
    }
  });
});
