import { describe, expect, it } from "vitest";
import type { Campaign } from "../../src/mail/client.ts";
import { createCampaignCounts } from "../../src/signals/campaigns.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { clientOf } from "../helpers/described.ts";
import { handClock } from "../helpers/hand-clock.ts";

const START_MS = Date.UTC(2026, 10, 22);
const DAY_MS = 86_400_000;
const winter: Campaign = {
  name: "winter",
  senders: ["@shop.example"],
  helo: [],
  networks: [],
  recipientsMax: 10,
  perMinuteMax: 4,
  fromMs: START_MS,
  untilMs: START_MS + 7 * DAY_MS,
};

function counted() {
  const clock = handClock(START_MS);
  const { windows } = createMemoryStore(clock);
  return { clock, windows, counts: createCampaignCounts(windows), shop: clientOf() };
}

describe("what a campaign may still send", () => {
  it("is counted a minute and in all, and a mail beyond either takes nothing", async () => {
    const { clock, counts, shop } = counted();
    expect(await counts.take(shop, winter, 4)).toMatchObject({ keys: [{}, {}] });
    expect(await counts.take(shop, winter, 1)).toEqual({ full: "rate", taken: 4, keys: [] });
    await clock.pass(61_000);
    expect((await counts.take(shop, winter, 4)).full).toBeUndefined();
    await clock.pass(61_000);
    expect(await counts.take(shop, winter, 3)).toEqual({ full: "number", taken: 8, keys: [] });
    expect((await counts.take(shop, winter, 2)).full).toBeUndefined();
  });

  it("goes back by its keys, once for each recipient", async () => {
    const { counts, windows, shop } = counted();
    const { keys } = await counts.take(shop, winter, 4);
    for (const key of keys) await windows.giveBack(key);
    expect((await counts.take(shop, winter, 1)).full).toBeUndefined();
    expect((await counts.take(shop, winter, 1)).full).toBe("rate");
  });

  it("is only looked at where nothing is sent", async () => {
    const { counts, shop } = counted();
    for (let i = 0; i < 20; i += 1) expect((await counts.look(shop, winter, 4)).full).toBeUndefined();
    expect((await counts.look(shop, winter, 5)).full).toBe("rate");
    expect((await counts.look(shop, { ...winter, recipientsMax: 3 }, 4)).full).toBe("number");
  });

  it("is counted anew where it is declared anew, and apart from others", async () => {
    const { counts, shop } = counted();
    await counts.take(shop, winter, 4);
    for (const other of [
      { ...winter, name: "spring" },
      { ...winter, fromMs: START_MS + 1 },
    ]) {
      expect((await counts.take(shop, other, 4)).full).toBeUndefined();
    }
    expect((await counts.take(clientOf({ id: "other" }), winter, 4)).full).toBeUndefined();
  });
});
