/** Retention by a clock that is turned by hand, on the real journal and archive. */
import { describe, expect, it } from "vitest";
import { witnessesOf } from "../../src/ledger/verify.ts";
import { verifyArchive } from "../../src/stores/duckdb/verify.ts";
import { DAY_MS, HOUR_MS, mailEntries, openTestLedger, START_MS } from "../helpers/archive.ts";
import { tempDir } from "../helpers/temp.ts";

const dayOf = (index: number): string => new Date(START_MS + index * DAY_MS).toISOString().slice(0, 10);

describe("seventy days of a ledger that keeps sixty", () => {
  it("delete each day on its day, say so, and leave a chain that is whole", async () => {
    const ledger = await openTestLedger({ retentionDays: 60 });
    ledger.pass(2 * HOUR_MS);
    for (let day = 0; day < 70; day += 1) {
      await ledger.journal.append(mailEntries([ledger.clock.nowMs, ledger.clock.nowMs + HOUR_MS]));
      ledger.pass(DAY_MS);
      const kept = await ledger.keep();
      expect(kept.sealed).toEqual([dayOf(day)]);
      // Day 0 ends when day 1 begins; sixty full days later it may go.
      expect(kept.deleted, `on day ${day + 1}`).toEqual(day >= 60 ? [dayOf(day - 60)] : []);
    }
    expect((await ledger.archive.sealed()).map(({ seal }) => seal.date)).toEqual(
      Array.from({ length: 60 }, (_, index) => dayOf(index + 10)),
    );
    const told = (await ledger.find({ event: "day-deleted" })).map(({ evidence }) => evidence?.date);
    expect(told).toEqual(Array.from({ length: 10 }, (_, index) => dayOf(index)));
    expect(await ledger.find({ untilMs: START_MS + 10 * DAY_MS })).toEqual([]);
    const { root, key } = ledger;
    const witnesses = { ...(await witnessesOf((await ledger.reader()).find({}))), keys: [key.publicPem] };
    const { troubles, days } = await verifyArchive({
      ...witnesses,
      root,
      node: ledger.node,
      tempDir: tempDir(),
      memoryMb: 300,
    });
    expect([troubles, days]).toEqual([[], 60]);
  });
});
