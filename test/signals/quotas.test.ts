import { describe, expect, it } from "vitest";
import { createQuotas } from "../../src/signals/quotas.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { clientOf } from "../helpers/described.ts";
import { handClock } from "../helpers/hand-clock.ts";

function quotasOn() {
  const clock = handClock();
  const store = createMemoryStore(clock);
  const troubles: unknown[] = [];
  return { clock, store, troubles, quotas: createQuotas(store.windows, (error) => void troubles.push(error)) };
}

const client = clientOf({ ratePerMinute: 2, ratePerHour: 3, ratePerDay: 10 });

describe("what a client may send", () => {
  it("is taken when a mail begins, and the longest limit that is used up says no", async () => {
    const { quotas, clock } = quotasOn();
    expect(await quotas.take(client, "1")).toBeUndefined();
    expect(await quotas.take(client, "2")).toBeUndefined();
    expect(await quotas.take(client, "3")).toMatchObject({ span: "minute", max: 2, taken: 2 });
    await clock.pass(61_000);
    expect(await quotas.take(client, "4")).toBeUndefined();
    const hour = await quotas.take(client, "5");
    expect(hour).toMatchObject({ span: "hour", max: 3 });
    expect(hour?.freesAtMs).toBe(clock.now() - 61_000 + 3_600_000);
  });

  it("is not taken in part when one limit says no", async () => {
    const { quotas, clock } = quotasOn();
    for (const id of ["1", "2", "3", "4", "5"]) await quotas.take(client, id);
    await clock.pass(1);
    expect((await quotas.usage(client)).map(({ span, taken }) => [span, taken])).toEqual([
      ["minute", 2],
      ["hour", 2],
      ["day", 2],
    ]);
  });

  it("is given back when the mail is not accepted, once, and kept when it is", async () => {
    const { quotas } = quotasOn();
    await quotas.take(client, "1");
    await quotas.take(client, "2");
    quotas.settle("1", false);
    quotas.settle("1", false);
    quotas.settle("2", true);
    quotas.settle("2", false);
    await Promise.resolve();
    expect((await quotas.usage(client)).map(({ taken }) => taken)).toEqual([1, 1, 1]);
  });

  it("is exactly the limit for many takers at once", async () => {
    const { quotas } = quotasOn();
    const takes = await Promise.all(
      Array.from({ length: 50 }, (_, i) => quotas.take(clientOf({ ratePerHour: 7 }), `${i}`)),
    );
    expect(takes.filter((used) => used === undefined)).toHaveLength(7);
  });

  it("is nothing for a client without limits", async () => {
    const { quotas } = quotasOn();
    expect(await quotas.usage(clientOf())).toEqual([]);
  });
});
