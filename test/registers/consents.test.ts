import { describe, expect, it } from "vitest";
import { type Consent, createConsentRegister } from "../../src/registers/consents.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";
import { handClock } from "../helpers/hand-clock.ts";

const proof = { how: "web-form", reference: "form 7" };
const yes = (recipient: string, advertiser = "shop") => ({ recipient, advertiser, topics: [], proof });

function registerOf(tables = createMemoryTables()) {
  const clock = handClock();
  return { clock, consents: createConsentRegister(tables, clock), tables };
}
const gather = async (all: AsyncIterable<Consent>): Promise<Consent[]> => {
  const found: Consent[] = [];
  for await (const consent of all) found.push(consent);
  return found;
};

describe("a recorded yes", () => {
  it("is found for that advertiser and that recipient, in the order asked", async () => {
    const { consents, clock } = registerOf();
    await consents.grant(yes("ann@example.com"));
    await consents.grant(yes("ben@example.com", "other"));
    const found = await consents.find("shop", ["ben@example.com", "ann@example.com", "cleo@example.com"]);
    expect(found).toEqual([undefined, { ...yes("ann@example.com"), grantedAtMs: clock.now() }, undefined]);
  });

  it("keeps the moment it was given, when that is known", async () => {
    const { consents } = registerOf();
    await consents.grant({ ...yes("ann@example.com"), grantedAtMs: 5 });
    expect((await consents.find("shop", ["ann@example.com"]))[0]?.grantedAtMs).toBe(5);
  });

  it("replaces an earlier refusal, and of two words at one moment the no counts", async () => {
    const { consents, clock } = registerOf();
    await consents.withdraw("shop", "ann@example.com");
    expect(await consents.grant(yes("ann@example.com"))).toBe("refused");
    await clock.pass(1);
    expect(await consents.grant(yes("ann@example.com"))).toBe("recorded");
    expect((await consents.find("shop", ["ann@example.com"]))[0]).not.toHaveProperty("withdrawnAtMs");
  });

  it("that was given before a refusal does not undo it, however late it is recorded", async () => {
    const { consents, clock } = registerOf();
    const givenAtMs = clock.now();
    await clock.pass(1000);
    await consents.withdraw("shop", "ann@example.com");
    await clock.pass(1000);
    expect(await consents.grant({ ...yes("ann@example.com"), grantedAtMs: givenAtMs })).toBe("refused");
    expect((await consents.find("shop", ["ann@example.com"]))[0]).toHaveProperty("withdrawnAtMs");
  });

  it("comes many at once, and again without change", async () => {
    const { consents } = registerOf();
    const many = Array.from({ length: 500 }, (_, i) => ({ ...yes(`r${i}@example.com`), grantedAtMs: i }));
    await consents.grantMany(many);
    await consents.grantMany(many);
    const all = await gather(consents.all());
    expect(all.sort((a, b) => a.grantedAtMs - b.grantedAtMs)).toEqual(many);
  });
});

describe("a refusal", () => {
  it("keeps what was agreed before, and says that a yes stood", async () => {
    const { consents, clock } = registerOf();
    await consents.grant({ ...yes("ann@example.com"), grantedAtMs: 5 });
    await clock.pass(1000);
    expect(await consents.withdraw("shop", "ann@example.com")).toBe(true);
    expect((await consents.find("shop", ["ann@example.com"]))[0]).toEqual({
      ...yes("ann@example.com"),
      grantedAtMs: 5,
      withdrawnAtMs: clock.now(),
    });
  });

  it("is recorded where no yes was, and says so", async () => {
    const { consents, clock } = registerOf();
    expect(await consents.withdraw("shop", "ann@example.com")).toBe(false);
    expect((await consents.find("shop", ["ann@example.com"]))[0]).toMatchObject({
      withdrawnAtMs: clock.now(),
      proof: { how: "refusal" },
    });
  });

  it("the second time changes nothing", async () => {
    const { consents, clock } = registerOf();
    await consents.grant(yes("ann@example.com"));
    await consents.withdraw("shop", "ann@example.com");
    const first = await consents.find("shop", ["ann@example.com"]);
    await clock.pass(1000);
    expect(await consents.withdraw("shop", "ann@example.com")).toBe(false);
    expect(await consents.find("shop", ["ann@example.com"])).toEqual(first);
  });

  it("is not swallowed by a yes that is written at the same moment", async () => {
    const tables = createMemoryTables();
    let meanwhile: (() => Promise<void>) | undefined;
    const slow = {
      ...tables,
      async get(table: string, key: { partition: string; id: string }) {
        const row = await tables.get(table, key);
        await meanwhile?.();
        return row;
      },
    };
    const { consents } = registerOf(slow);
    await consents.grant(yes("ann@example.com"));
    meanwhile = async () => {
      meanwhile = undefined;
      await consents.grant({ ...yes("ann@example.com"), topics: ["shoes"] });
    };
    expect(await consents.withdraw("shop", "ann@example.com")).toBe(true);
    expect((await consents.find("shop", ["ann@example.com"]))[0]).toMatchObject({
      topics: ["shoes"],
      withdrawnAtMs: expect.any(Number),
    });
  });
});

describe("one person's words", () => {
  it("lie together and are told apart from another's", async () => {
    const { consents } = registerOf();
    await consents.grant(yes("ann@example.com", "b-shop"));
    await consents.grant(yes("ann@example.com", "a-shop"));
    await consents.grant(yes("ben@example.com", "a-shop"));
    const found = await gather(consents.ofRecipient("ann@example.com"));
    expect(found.map(({ advertiser }) => advertiser)).toEqual(["a-shop", "b-shop"]);
  });
});
