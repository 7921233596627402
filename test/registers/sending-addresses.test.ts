import { describe, expect, it } from "vitest";
import type { SendingAddress } from "../../src/mail/client.ts";
import { egressOf, holds, longestWait, stateOf } from "../../src/registers/sending-addresses.ts";
import { clientOf } from "../helpers/described.ts";

const CHINA = { usableAfterDays: 20, changeDays: 30 };
const one = (more: Partial<SendingAddress> = {}): SendingAddress => ({
  network: "192.0.2.25",
  use: "egress",
  authority: "MIIT",
  registeredOn: "2026-11-01",
  ...more,
});

describe("a registered address", () => {
  it.each([
    ["waits twenty days", {}, "2026-11-20T23:59:59Z", "not-yet"],
    ["may be used after them", {}, "2026-11-21T00:00:00Z", "usable"],
    ["waits thirty days when it is a change", { change: true }, "2026-11-30T23:59:59Z", "not-yet"],
    ["may be used on its last day", { endsOn: "2026-12-24" }, "2026-12-24T23:59:59Z", "usable"],
    ["is over after it", { endsOn: "2026-12-24" }, "2026-12-25T00:00:00Z", "over"],
  ] as const)("%s", (_, more, at, expected) => {
    expect(stateOf(one(more), CHINA, Date.parse(at))).toBe(expected);
  });

  it("holds what lies in it, IPv6 too", () => {
    expect(holds(one({ network: "192.0.2.0/24" }), "192.0.2.9")).toBe(true);
    expect(holds(one({ network: "192.0.2.0/24" }), "192.0.3.9")).toBe(false);
    expect(holds(one({ network: "2001:db8::/32" }), "2001:db8:1::9")).toBe(true);
  });
});

describe("the addresses mail leaves by", () => {
  const nowMs = Date.parse("2026-11-22T12:00:00Z");

  it("are the relay's own where none was registered", () => {
    expect(egressOf(clientOf(), nowMs, CHINA)).toBeUndefined();
    expect(egressOf(clientOf({ addresses: [one({ use: "source" })] }), nowMs, CHINA)).toBeUndefined();
  });

  it("are those whose days are over, and none where all must wait", () => {
    const late = one({ network: "192.0.2.26", registeredOn: "2026-11-22" });
    expect(egressOf(clientOf({ addresses: [one(), late] }), nowMs, CHINA)).toEqual(["192.0.2.25"]);
    expect(egressOf(clientOf({ addresses: [late] }), nowMs, CHINA)).toEqual([]);
    expect(egressOf(clientOf({ addresses: [late] }), nowMs)).toEqual(["192.0.2.26"]);
  });
});

it("several laws wait as long as the longest", () => {
  expect(longestWait([CHINA, { usableAfterDays: 25, changeDays: 5 }, undefined])).toEqual({
    usableAfterDays: 25,
    changeDays: 30,
  });
  expect(longestWait([])).toEqual({ usableAfterDays: 0, changeDays: 0 });
});
