import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Log } from "../../src/kit/log.ts";
import { startHousekeeping } from "../../src/ledger/housekeeping.ts";
import { readAnchors } from "../../src/ledger/seal.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";
import { DAY_MS, HOUR_MS, mailEntries, openTestLedger, START_MS } from "../helpers/archive.ts";

describe("housekeeping", { timeout: 60_000 }, () => {
  it("leaves a line for each sealed day in the log and where the archive cannot be reached from", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const ledger = await openTestLedger();
    await ledger.journal.append(mailEntries([START_MS, START_MS + DAY_MS]));
    ledger.pass(2 * DAY_MS + 2 * HOUR_MS);
    const logged: unknown[] = [];
    const anchors: string[] = [];
    const say = (...words: unknown[]): void => void logged.push(words.at(-1));
    const rounds = startHousekeeping({
      journal: ledger.journal,
      archive: ledger.archive,
      recorder: ledger.recorder,
      clock: { now: () => ledger.clock.nowMs },
      tables: createMemoryTables(),
      log: { info: say, warn: say, error: say } as unknown as Log,
      settings: () => ({ retentionDays: 60, awayDaysMax: 7 }),
      anchor: async (line) => void anchors.push(line),
    });
    vi.advanceTimersByTime(10_000);
    await rounds.stop();
    const sealed = await ledger.archive.sealed();
    const expected = sealed.map(({ seal, digest }) => ({ node: seal.node, seq: seal.seq, date: seal.date, digest }));
    expect(expected).toHaveLength(2);
    expect(readAnchors(anchors.join("\n"))).toEqual(expected);
    expect(readAnchors(logged.map(String).join("\n"))).toEqual(expected);
    expect(logged.at(-1)).toBe("the ledger was put in order");
  });
});
