import { describe, expect, it } from "vitest";
import type { Tables } from "../../src/kit/store.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { createConsentQuotas } from "../../src/registers/consent-quotas.ts";
import { shareQuestions } from "../../src/registers/consent-sharing.ts";
import { createConsentRegister } from "../../src/registers/consents.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { handClock } from "../helpers/hand-clock.ts";

async function sharingOf() {
  const clock = handClock();
  const store = createMemoryStore(clock);
  let reads = 0;
  const tables: Tables = {
    ...store.tables,
    getMany(table, keys) {
      reads += 1;
      return store.tables.getMany(table, keys);
    },
  };
  const register = createConsentRegister(store.tables, clock);
  await register.grant({ recipient: "ann@x.example", advertiser: "shop", topics: ["shoes"], proof: { how: "paper" } });
  const counted = createConsentRegister(tables, clock);
  const shared = shareQuestions(counted, createConsentQuotas(store.admissions));
  return { ...shared, reads: () => reads };
}
const asks = (...recipients: string[]) => recipients.map((recipient) => ({ recipient, caps: [] }));
const both = ["ann@x.example", "ben@x.example"];

describe("two rules that ask about the same recipients at the same moment", () => {
  it("share one question, and both hear the answer", async () => {
    const { consents, quotas, reads } = await sharingOf();
    const [standings, answers] = await Promise.all([
      consents.standing("shop", both),
      quotas.take("shop", asks(...both)),
    ]);
    expect(standings.map((each) => each?.topics)).toEqual([["shoes"], undefined]);
    expect(answers.map(({ standing }) => standing)).toEqual(standings);
    expect(reads()).toBe(0);
  });

  it.each([
    ["of another advertiser", "other", both],
    ["about others", "shop", ["ann@x.example"]],
    ["in another order", "shop", both.toReversed()],
  ])("ask apart when one asks %s", async (_, advertiser, recipients) => {
    const { consents, quotas, reads } = await sharingOf();
    const [standings] = await Promise.all([
      consents.standing("shop", both),
      quotas.take(advertiser, asks(...recipients)),
    ]);
    expect(standings.map(Boolean)).toEqual([true, false]);
    expect(reads()).toBe(1);
  });

  it("ask apart when the other asks later, or not at all", async () => {
    const { consents, quotas, reads } = await sharingOf();
    expect((await consents.standing("shop", both)).map(Boolean)).toEqual([true, false]);
    await quotas.take("shop", asks(...both));
    expect(reads()).toBe(1);
  });

  it("both hear that the register is away", async () => {
    const { consents } = await sharingOf();
    const away = () => Promise.reject(new Unavailable("store", "away"));
    const shared = shareQuestions(consents, { take: away, look: away });
    const asked = await Promise.allSettled([
      shared.consents.standing("shop", both),
      shared.quotas.look("shop", asks(...both)),
    ]);
    expect(asked.map((each) => each.status === "rejected" && each.reason instanceof Unavailable)).toEqual([true, true]);
  });
});
