import { describe, expect, it } from "vitest";
import { canonicalIp, ipRanges, isIpRange, isLoopback, networkOf } from "../../src/kit/ip.ts";

describe("IP ranges", () => {
  const ranges = ipRanges(["192.0.2.0/24", "192.0.2.128/25", "2001:db8::/32", "203.0.113.7"]);

  it.each([
    ["192.0.2.1", true],
    ["::ffff:192.0.2.1", true],
    ["192.0.3.1", false],
    ["2001:db8:1::1", true],
    ["2001:db9::1", false],
    ["203.0.113.7", true],
    ["203.0.113.8", false],
    ["not an address", false],
  ])("%s is inside: %s", (ip, inside) => {
    expect(ranges.has(ip)).toBe(inside);
  });

  it("name the narrowest network", () => {
    expect(ranges.narrowest("192.0.2.200")).toBe(96 + 25);
    expect(ranges.narrowest("192.0.2.1")).toBe(96 + 24);
    expect(ranges.narrowest("198.51.100.1")).toBeUndefined();
  });

  it("refuse what is no range", () => {
    for (const text of ["192.0.2.0/33", "example.com", ""]) expect(isIpRange(text)).toBe(false);
    expect(() => ipRanges(["192.0.2.0/33"])).toThrow(/not an address/);
  });

  it("write addresses in one form", () => {
    expect(canonicalIp("::FFFF:192.0.2.1")).toBe("192.0.2.1");
    expect(canonicalIp("2001:DB8:0:0::1")).toBe("2001:db8::1");
    expect(canonicalIp("1.2.3")).toBeUndefined();
    expect([isLoopback("127.9.9.9"), isLoopback("::1"), isLoopback("10.0.0.1")]).toEqual([true, true, false]);
  });
});

describe("the network round an address", () => {
  it.each([
    ["203.0.113.9", { v4: 32, v6: 64 }, "203.0.113.9/32"],
    ["203.0.113.9", { v4: 24, v6: 48 }, "203.0.113.0/24"],
    ["203.0.113.9", { v4: 20, v6: 48 }, "203.0.112.0/20"],
    ["::ffff:203.0.113.9", { v4: 24, v6: 48 }, "203.0.113.0/24"],
    ["2001:db8:0:1::9", { v4: 32, v6: 64 }, "2001:db8:0:1::/64"],
    ["2001:DB8:1:1::9", { v4: 24, v6: 48 }, "2001:db8:1::/48"],
  ])("of %s in %j is %s", (ip, bits, network) => {
    expect(networkOf(ip, bits)).toBe(network);
  });

  it.each(["", "1.2.3", "01.2.3.4", "1.2.3.4/24", "host"])("is none of %j", (text) => {
    expect(() => networkOf(text, { v4: 24, v6: 48 })).toThrow(TypeError);
  });
});
