import { describe, expect, it } from "vitest";
import { createIds } from "../../src/kit/ids.ts";
import { beginLookUp, pastLookUps, withoutOwnLooks } from "../../src/ledger/lookups.ts";
import { createRecorder } from "../../src/ledger/recorder.ts";
import { createMemoryJournal } from "../../src/stores/memory/journal.ts";
import { collect } from "../contract/tables.ts";

describe("look-ups", () => {
  it("are put together from their beginnings and ends, also those without an end", async () => {
    const clock = { nowMs: 1_700_000_000_000, now: () => clock.nowMs };
    const journal = createMemoryJournal();
    const recorder = createRecorder(journal, createIds(clock, Buffer.alloc(32)), clock);
    const begin = (actor: string, asked: Record<string, string>, id: string) =>
      beginLookUp({ recorder, actor, asked, id });
    const first = await begin("ann", { to: "li@example.com" }, "1");
    clock.nowMs += 1_000;
    const second = await begin("bob", { ip: "192.0.2.1", case: "2026-117" }, "2");
    await begin("eve", {}, "3");
    await second.end(7);
    await first.end(0);
    expect(await collect(pastLookUps(journal.find({})))).toEqual([
      { at: clock.nowMs, actor: "bob", asked: { ip: "192.0.2.1", case: "2026-117" }, hits: 7 },
      { at: clock.nowMs - 1_000, actor: "ann", asked: { to: "li@example.com" }, hits: 0 },
      { at: clock.nowMs, actor: "eve", asked: {} },
    ]);
  });

  it("stand in the journal, and are not among what the one who looks finds in it", async () => {
    const clock = { now: () => 1_700_000_000_000 };
    const journal = createMemoryJournal();
    const ids = createIds(clock, Buffer.alloc(32));
    const own = withoutOwnLooks(journal);
    await beginLookUp({ recorder: createRecorder(journal, ids, clock), actor: "ann", asked: {}, id: "1" });
    const { end } = await beginLookUp({ recorder: createRecorder(own, ids, clock), actor: "bob", asked: {}, id: "2" });
    const seen = async (of: typeof journal) => (await collect(of.find({}))).map(({ actor, event }) => [actor, event]);
    expect(await seen(own)).toEqual([["ann", "looked-up"]]);
    await end(1);
    expect(await seen(journal)).toEqual([
      ["ann", "looked-up"],
      ["bob", "looked-up"],
      ["bob", "look-up-ended"],
    ]);
  });
});
