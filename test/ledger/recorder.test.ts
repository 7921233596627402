import { describe, expect, it } from "vitest";
import { createIds } from "../../src/kit/ids.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { EVENTS } from "../../src/ledger/events.ts";
import { createRecorder } from "../../src/ledger/recorder.ts";
import { createMemoryJournal } from "../../src/stores/memory/journal.ts";
import { handClock } from "../helpers/hand-clock.ts";

function recorderOf(journal = createMemoryJournal()) {
  const clock = handClock();
  return { clock, journal, recorder: createRecorder(journal, createIds(clock, Buffer.alloc(32, 1)), clock) };
}

describe("the recorder", () => {
  it("gives entries their id and time, which rise together", async () => {
    const { recorder, journal, clock } = recorderOf();
    await recorder.record([
      { event: "received", mailId: "m1" },
      { event: "received", mailId: "m2" },
    ]);
    await clock.pass(5);
    await recorder.record([{ event: "handed-over", mailId: "m1" }]);
    const found: Entry[] = [];
    for await (const entry of journal.find({})) found.push(entry);
    expect(found.map(({ event, mailId, at }) => [event, mailId, at])).toEqual([
      ["received", "m1", clock.now() - 5],
      ["received", "m2", clock.now() - 5],
      ["handed-over", "m1", clock.now()],
    ]);
    expect(found.map(({ id }) => id)).toEqual([...new Set(found.map(({ id }) => id))].sort());
  });

  it("is done only when the journal is", async () => {
    const journal = createMemoryJournal();
    let written = (): void => {};
    const slow = { ...journal, append: () => new Promise<void>((resolve) => (written = resolve)) };
    let done = false;
    const recording = recorderOf(slow)
      .recorder.record([{ event: "refused" }])
      .then(() => (done = true));
    await Promise.resolve();
    expect(done).toBe(false);
    written();
    await recording;
    expect(done).toBe(true);
  });

  it("says when the journal cannot be written", async () => {
    const full = { ...createMemoryJournal(), append: () => Promise.reject(new Unavailable("ledger", "disk full")) };
    await expect(recorderOf(full).recorder.record([{ event: "refused" }])).rejects.toThrow(Unavailable);
  });

  it("writes down for a minute that the clock was set, and how", async () => {
    const journal = createMemoryJournal();
    let nowMs = 1_700_000_000_000;
    let steadyMs = 0;
    const clock = { now: () => nowMs, steadyMs: () => steadyMs };
    const recorder = createRecorder(journal, createIds(clock, Buffer.alloc(32, 1)), clock);
    const states: (string | undefined)[] = [];
    const steps = [
      [0, 0],
      [5_000, 5_000],
      [7_900, 7_000],
      [86_400_000, 10],
      [100, 59_000],
      [2_000, 2_000],
      [-3_000, 500],
      [90_000, 90_000],
    ] as const;
    for (const [wall, steady] of steps) {
      nowMs += wall;
      steadyMs += steady;
      await recorder.record([{ event: "refused", mailId: String(states.length) }]);
      for await (const entry of journal.find({ id: String(states.length) })) states.push(entry.clock);
    }
    expect(states).toEqual([
      undefined,
      undefined,
      undefined,
      "set-forward",
      "set-back",
      "set-back",
      "set-back",
      undefined,
    ]);
  });

  it("has an explanation for every event", () => {
    for (const says of Object.values(EVENTS)) expect(says).toMatch(/^.{15,120}$/);
    expect(new Set(Object.values(EVENTS)).size).toBe(Object.keys(EVENTS).length);
  });
});
