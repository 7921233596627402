import { describe, expect, it } from "vitest";
import { Misuse } from "../../src/kit/trouble.ts";
import { createCodeRegister, type ManagementCode, stateOf, yearsAfter } from "../../src/registers/codes.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";
import { handClock } from "../helpers/hand-clock.ts";

const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const terms = { validYears: 3, renewDaysBefore: 30 };

function registerOf() {
  const clock = handClock(START);
  const codes = createCodeRegister(createMemoryTables(), clock);
  const issue = (more: Partial<ManagementCode> = {}) =>
    codes.issue({ code: "1231", holder: "shop", issuedAtMs: clock.now(), published: true, ...more }, terms);
  return { clock, codes, issue };
}

describe("a management code", () => {
  it("is good for three years from its issue, and is found by itself and by its holder", async () => {
    const { codes, issue } = registerOf();
    const code = await issue();
    expect(code.expiresAtMs).toBe(Date.UTC(2029, 0, 1));
    expect(await codes.byCode("1231")).toEqual(code);
    expect(await codes.heldBy("shop")).toEqual([code]);
    expect(await codes.heldBy("other")).toEqual([]);
    expect(stateOf(code, code.expiresAtMs - 1)).toBe("valid");
    expect(stateOf(code, code.expiresAtMs)).toBe("expired");
    expect(stateOf(code, START - 1)).toBe("not-yet");
  });

  it("is issued once, for no more than three years, in its form", async () => {
    const { issue } = registerOf();
    await issue();
    await expect(issue({ holder: "other" })).rejects.toThrow("there is a code 1231 already, of shop");
    await expect(issue({ code: "1241", expiresAtMs: yearsAfter(START, 3) + 1 })).rejects.toThrow("3 years at most");
    await expect(issue({ code: "1234" })).rejects.toThrow(Misuse);
    await expect(issue({ code: "1251", expiresAtMs: START })).rejects.toThrow(Misuse);
  });

  it("is renewed up to thirty days before its end, and not later", async () => {
    const { clock, codes, issue } = registerOf();
    const { expiresAtMs } = await issue();
    await clock.pass(expiresAtMs - 30 * DAY - clock.now());
    expect((await codes.renew("1231", terms)).expiresAtMs).toBe(Date.UTC(2032, 0, 1));
    await clock.pass(Date.UTC(2032, 0, 1) - 30 * DAY + 1 - clock.now());
    await expect(codes.renew("1231", terms)).rejects.toThrow("too late: 1231 had to be renewed by 2031-12-02");
    await clock.pass(30 * DAY);
    await expect(codes.renew("1231", terms)).rejects.toThrow("expired: a new code is needed");
  });

  it("is not good from the day it is revoked, and is not renewed then", async () => {
    const { clock, codes, issue } = registerOf();
    await issue();
    const revoked = await codes.revoke("1231", "request of the holder", START + DAY);
    expect(stateOf(revoked, START)).toBe("valid");
    expect(stateOf(revoked, START + DAY)).toBe("revoked");
    await clock.pass(DAY);
    await expect(codes.renew("1231", terms)).rejects.toThrow("revoked");
  });

  it("goes with its new holder when that changes", async () => {
    const { codes, issue } = registerOf();
    await issue();
    await codes.change("1231", { holder: "Ads.Example", name: "Ads Ltd" });
    expect(await codes.heldBy("shop")).toEqual([]);
    expect(await codes.heldBy("ads.example")).toMatchObject([{ code: "1231", name: "Ads Ltd" }]);
    await expect(codes.change("9991", { name: "x" })).rejects.toThrow("there is no code 9991");
  });

  it("is taken from the published list, once and again without change", async () => {
    const { codes, issue } = registerOf();
    const mine = await issue();
    const listed = { ...mine, name: "Shop Ltd" };
    expect(await codes.adopt(listed)).toBe(true);
    expect(await codes.adopt(listed)).toBe(false);
    expect(await codes.list()).toEqual([listed]);
  });

  it("is warned of within thirty days of its end, the first to end first", async () => {
    const { clock, codes, issue } = registerOf();
    await issue({ code: "1231", expiresAtMs: START + 40 * DAY });
    await issue({ code: "1241", expiresAtMs: START + 35 * DAY });
    await issue({ code: "1251", expiresAtMs: START + 35 * DAY, revokedAtMs: START });
    expect(await codes.ending(30)).toEqual([]);
    await clock.pass(10 * DAY);
    expect((await codes.ending(30)).map(({ code }) => code)).toEqual(["1241", "1231"]);
  });
});
