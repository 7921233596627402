import { describe, expect, it } from "vitest";
import { parseInstant, parseMoment } from "../../src/commands/times.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");

describe("times of a command line", () => {
  it.each([
    ["2026-11-22", "2026-11-22T00:00:00.000Z"],
    ["2026-11-22T10:30", "2026-11-22T10:30:00.000Z"],
    ["2026-11-22 10:30", "2026-11-22T10:30:00.000Z"],
    ["2026-11-22T10:30:15.5Z", "2026-11-22T10:30:15.500Z"],
    ["2026-11-22t10:30:15+07:00", "2026-11-22T03:30:15.000Z"],
    ["2026-11-22T10:30:15+0700", "2026-11-22T03:30:15.000Z"],
    ["90s", "2026-11-22T11:58:30.000Z"],
    ["30m", "2026-11-22T11:30:00.000Z"],
    ["2h", "2026-11-22T10:00:00.000Z"],
    ["3d", "2026-11-19T12:00:00.000Z"],
    ["1w", "2026-11-15T12:00:00.000Z"],
    ["999999w", "1970-01-01T00:00:00.000Z"],
  ])("reads %s", (text, expected) => {
    expect(new Date(parseMoment(text, "since", NOW).ms).toISOString()).toBe(expected);
  });

  it.each([
    "",
    "yesterday",
    "2026-02-30",
    "2026-13-01",
    "2026-11-22T25:00",
    "22.11.2026",
    "5",
    "1y",
    "-2h",
    "1795348800000",
  ])("refuses %j and says what would do", (text) => {
    expect(() => parseMoment(text, "since", NOW)).toThrow(`--since "${text}": expected a time such as 2026-11-22`);
  });

  it("tells a day from a moment", () => {
    expect(parseInstant("2026-11-22")?.day).toBe(true);
    expect(parseInstant("2026-11-22T00:00")?.day).toBe(false);
  });
});
