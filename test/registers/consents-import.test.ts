import { describe, expect, it } from "vitest";
import type { Tables } from "../../src/kit/store.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { type Consent, createConsentRegister, granting } from "../../src/registers/consents.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";

const yes = (grantedAtMs: number, recipient = "ann@example.com"): Consent => ({
  recipient,
  advertiser: "shop",
  topics: [],
  grantedAtMs,
  proof: { how: "import" },
});
const refused = (grantedAtMs: number, withdrawnAtMs: number): Consent => ({ ...yes(grantedAtMs), withdrawnAtMs });
const registerAt = (ms: number, tables: Tables = createMemoryTables()) =>
  createConsentRegister(tables, { now: () => ms });

describe("a yes that meets what is recorded", () => {
  it.each<[string, Consent | undefined, Consent, string]>([
    ["nothing", undefined, yes(5), "recorded"],
    ["the same yes", yes(5), yes(5), "known"],
    ["the same time with another proof", yes(5), { ...yes(5), proof: { how: "paper" } }, "recorded"],
    ["an earlier yes", yes(4), yes(5), "recorded"],
    ["a later yes", yes(6), yes(5), "known"],
    ["a refusal after it", refused(1, 6), yes(5), "refused"],
    ["a refusal of the same moment", refused(1, 5), yes(5), "refused"],
    ["a refusal before it", refused(1, 4), yes(5), "recorded"],
  ])("is right about %s", (_, known, given, expected) => {
    expect(granting(known, given)).toBe(expected);
  });
});

describe("an import", () => {
  it("does not undo a refusal recorded since, and takes a yes given after it", async () => {
    const consents = registerAt(50);
    const file = [yes(10), yes(10, "ben@example.com")];
    expect(await consents.grantMany(file)).toEqual({ recorded: 2, known: 0, refused: 0 });
    await consents.withdraw("shop", "ann@example.com");
    expect(await consents.grantMany(file)).toEqual({ recorded: 0, known: 1, refused: 1 });
    expect((await consents.find("shop", ["ann@example.com"]))[0]).toEqual(refused(10, 50));
    expect(await consents.grantMany([yes(51)])).toEqual({ recorded: 1, known: 0, refused: 0 });
    expect((await consents.find("shop", ["ann@example.com"]))[0]).toEqual(yes(51));
  });

  it("keeps the latest of many lines about the same people, in whatever order they come", async () => {
    const consents = registerAt(5000);
    const lines = Array.from({ length: 3000 }, (_, i) => yes((i * 7) % 3000, `r${i % 3}@example.com`));
    await consents.grantMany(lines);
    const found = await consents.find("shop", ["r0@example.com", "r1@example.com", "r2@example.com"]);
    const latest = [0, 1, 2].map((r) =>
      Math.max(...lines.filter((_, i) => i % 3 === r).map((line) => line.grantedAtMs)),
    );
    expect(found.map((consent) => consent?.grantedAtMs)).toEqual(latest);
  });

  it("lets a refusal stand that is recorded while it runs", async () => {
    const tables = createMemoryTables();
    const others = registerAt(50, tables);
    let reads = 0;
    const slow: Tables = {
      ...tables,
      async getMany(table, keys) {
        const rows = await tables.getMany(table, keys);
        reads += 1;
        if (reads === 1) await others.withdraw("shop", "ann@example.com");
        return rows;
      },
    };
    expect(await registerAt(50, slow).grantMany([yes(10)])).toEqual({ recorded: 0, known: 0, refused: 1 });
    expect((await others.find("shop", ["ann@example.com"]))[0]?.withdrawnAtMs).toBe(50);
  });

  it("gives up when a record never stands still, and says so", async () => {
    const tables = createMemoryTables();
    const restless: Tables = { ...tables, put: async () => undefined };
    await expect(registerAt(50, restless).grantMany([yes(10)])).rejects.toThrow(Unavailable);
  });
});
