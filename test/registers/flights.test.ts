import { describe, expect, it } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import { createFlights, HANDOVER_MS_MAX, LANDING_MS_MAX } from "../../src/registers/flights.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { handClock } from "../helpers/hand-clock.ts";

const ANN = "ann@example.com";
const ANSWER_MS = 120_000;

/** Flights on a clock that the pauses turn. */
function airport() {
  const clock = handClock();
  const { tables } = createMemoryStore(clock);
  const pauses: number[] = [];
  let whilePausing: () => unknown = () => undefined;
  const flights = createFlights(tables, clock, {
    answerMs: () => ANSWER_MS,
    async pause(ms) {
      pauses.push(ms);
      await clock.pass(ms);
      await whilePausing();
    },
  });
  const rows = async (): Promise<number> => {
    let count = 0;
    for await (const _ of tables.scan("flights")) count += 1;
    return count;
  };
  const meanwhile = (work: () => unknown): void => {
    whilePausing = work;
  };
  return { clock, flights, pauses, rows, meanwhile };
}

describe("a refusal", () => {
  it("waits until the advertisement before it has landed, and leaves nothing", async () => {
    const { flights, pauses, rows, meanwhile } = airport();
    const flight = await flights.begin("shop", [ANN, "ben@example.com"], "M1");
    meanwhile(() => pauses.length === 3 && flight.end());
    await flights.landed("shop", ANN);
    expect(pauses).toEqual([5, 10, 20]);
    expect(await rows()).toBe(0);
  });

  it.each([
    ["another advertiser's", "other", [ANN]],
    ["one to somebody else", "shop", ["ben@example.com"]],
  ])("does not wait for %s", async (_, advertiser, recipients) => {
    const { flights, pauses } = airport();
    await flights.begin(advertiser, recipients, "M1");
    await flights.landed("shop", ANN);
    expect(pauses).toEqual([]);
  });

  it("does not wait for those that begin after it: they see it themselves", async () => {
    const { flights, pauses, meanwhile } = airport();
    const first = await flights.begin("shop", [ANN], "M1");
    meanwhile(async () => {
      await flights.begin("shop", [ANN], `M${pauses.length + 1}`);
      if (pauses.length === 2) await first.end();
    });
    await flights.landed("shop", ANN);
    expect(pauses).toHaveLength(2);
  });

  it("is not acknowledged while one is under way for longer than anybody waits", async () => {
    const { clock, flights } = airport();
    await flights.begin("shop", [ANN], "M1");
    const before = clock.now();
    await expect(flights.landed("shop", ANN)).rejects.toThrow(Unavailable);
    expect(clock.now() - before).toBeLessThan(LANDING_MS_MAX + 1_000);
  });

  it("no longer waits for a flight whose process died, once the next hop can have no answer for it", async () => {
    const { clock, flights, pauses, rows } = airport();
    await flights.begin("shop", [ANN], "M1");
    await clock.pass(HANDOVER_MS_MAX + ANSWER_MS - LANDING_MS_MAX);
    await expect(flights.landed("shop", ANN), "clocks may differ").rejects.toThrow(Unavailable);
    await clock.pass(10_000);
    pauses.length = 0;
    await flights.landed("shop", ANN);
    expect([pauses, await rows()]).toEqual([[], 0]);
  });
});

describe("a flight", () => {
  it("may end in a final dot only as long as refusals wait for it", async () => {
    const { clock, flights } = airport();
    const flight = await flights.begin("shop", [ANN], "M1");
    await clock.pass(HANDOVER_MS_MAX);
    expect(() => flight.confirm()).not.toThrow();
    await clock.pass(1);
    expect(() => flight.confirm()).toThrow(Unavailable);
  });
});
