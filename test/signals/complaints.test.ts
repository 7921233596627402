import { describe, expect, it } from "vitest";
import { createComplaints, isTooMany } from "../../src/signals/complaints.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { handClock } from "../helpers/hand-clock.ts";

const limits = { complaintsPercent: 0.3, complaintsMin: 5, windowDays: 7 };
const DAY_MS = 86_400_000;

function counted() {
  const clock = handClock();
  const troubles: unknown[] = [];
  const { windows } = createMemoryStore(clock);
  let goOn = (): void => undefined;
  const pause = (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    goOn = resolve;
    return promise;
  };
  const options = { limits: () => limits, pause, onTrouble: (error: unknown) => void troubles.push(error) };
  const pauseEnds = async (): Promise<void> => {
    goOn();
    await new Promise(setImmediate);
  };
  return { clock, complaints: createComplaints(windows, options), troubles, pauseEnds };
}

describe("reports of spam", () => {
  it("are a share of what was delivered, told to the store in batches", async () => {
    const { complaints, pauseEnds } = counted();
    for (let i = 0; i < 100; i += 1) complaints.delivered("shop", 10);
    expect((await complaints.share("shop")).delivered).toBe(0);
    await pauseEnds();
    expect(await complaints.reported("shop", 3)).toEqual({ delivered: 1000, complaints: 3, percent: 0.3 });
    expect(await complaints.share("shop")).toEqual({ delivered: 1000, complaints: 3, percent: 0.3 });
    expect(await complaints.share("other")).toEqual({ delivered: 0, complaints: 0, percent: 0 });
  });

  it("fall out of the window with the mails they are about", async () => {
    const { clock, complaints, pauseEnds } = counted();
    complaints.delivered("shop", 10);
    await pauseEnds();
    await complaints.reported("shop", 1);
    await clock.pass(8 * DAY_MS);
    expect(await complaints.share("shop")).toEqual({ delivered: 0, complaints: 0, percent: 0 });
  });

  it.each([
    ["few, whatever their share", { delivered: 10, complaints: 4, percent: 40 }, false],
    ["enough and a share that is too high", { delivered: 1000, complaints: 5, percent: 0.5 }, true],
    ["just at both bounds", { delivered: 1666, complaints: 5, percent: 0.3 }, true],
    ["many of very many", { delivered: 100_000, complaints: 100, percent: 0.1 }, false],
  ])("%s", (_, share, expected) => {
    expect(isTooMany(share, limits)).toBe(expected);
  });
});
