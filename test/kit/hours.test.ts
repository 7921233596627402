import { describe, expect, it } from "vitest";
import { parseHours } from "../../src/kit/hours.ts";

const at = (iso: string): number => Date.parse(iso);

describe("hours in a time zone", () => {
  it.each<[hours: string, moment: string, inside: boolean]>([
    ["09:00-18:00 Asia/Ho_Chi_Minh", "2026-11-22T02:00:00Z", true],
    ["09:00-18:00 Asia/Ho_Chi_Minh", "2026-11-22T01:59:59Z", false],
    ["09:00-18:00 Asia/Ho_Chi_Minh", "2026-11-22T10:59:59Z", true],
    ["09:00-18:00 Asia/Ho_Chi_Minh", "2026-11-22T11:00:00Z", false],
    ["22:00-06:00 UTC", "2026-11-22T23:00:00Z", true],
    ["22:00-06:00 UTC", "2026-11-22T05:59:00Z", true],
    ["22:00-06:00 UTC", "2026-11-22T06:00:00Z", false],
    ["00:00-24:00 UTC sun", "2026-11-22T12:00:00Z", true],
    ["00:00-24:00 UTC mon-fri", "2026-11-22T12:00:00Z", false],
    ["00:00-24:00 UTC sat-mon", "2026-11-22T12:00:00Z", true],
    ["22:00-06:00 UTC sat", "2026-11-22T03:00:00Z", true],
    ["22:00-06:00 UTC sun", "2026-11-22T03:00:00Z", false],
    // The clock of Europe is two hours ahead in summer, one in winter.
    ["09:00-18:00 Europe/Berlin", "2026-07-01T07:30:00Z", true],
    ["09:00-18:00 Europe/Berlin", "2026-12-01T07:30:00Z", false],
  ])("%s: %s is inside: %s", (hours, moment, inside) => {
    expect(parseHours(hours)?.has(at(moment))).toBe(inside);
  });

  it("say when they next begin", () => {
    const hours = parseHours("09:00-18:00 Asia/Ho_Chi_Minh mon-fri");
    expect(new Date(hours?.opensAtMs(at("2026-11-22T03:00:00Z")) ?? 0).toISOString()).toBe("2026-11-23T02:00:00.000Z");
    expect(hours?.opensAtMs(at("2026-11-23T02:10:00Z"))).toBe(at("2026-11-23T02:10:00Z"));
  });

  it.each([
    "",
    "9-18 UTC",
    "09:00-18:00",
    "09:00-18:00 Nowhere/City",
    "25:00-26:00 UTC",
    "09:00-09:00 UTC",
    "09:00-18:00 UTC someday",
    "09:00-18:00 UTC mon-tue-wed",
  ])("are not read from %j", (text) => expect(parseHours(text)).toBeUndefined());
});
