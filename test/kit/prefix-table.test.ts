import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipBytes, ipRanges } from "../../src/kit/ip.ts";
import { createPrefixTable } from "../../src/kit/prefix-table.ts";

function tableOf(ranges: readonly string[]) {
  const table = createPrefixTable();
  for (const range of ranges) {
    const [ip = "", bits] = range.split("/");
    const bytes = ipBytes(ip) ?? [];
    table.add(bytes, bits === undefined ? bytes.length * 8 : Number(bits));
  }
  return table;
}

describe("a table of networks", () => {
  it.each([
    ["192.0.2.1", ["192.0.2.1"], true],
    ["192.0.2.2", ["192.0.2.1"], false],
    ["192.0.2.255", ["192.0.2.77/24"], true],
    ["192.0.3.0", ["192.0.2.0/24"], false],
    ["1.2.3.4", ["0.0.0.0/0"], true],
    ["0.0.0.0", ["0.0.0.0"], true],
    ["0.0.0.1", ["0.0.0.0"], false],
    ["255.255.255.255", ["255.255.255.255"], true],
    ["2001:db8:1::9", ["2001:db8::/32"], true],
    ["2001:db9::1", ["2001:db8::/32"], false],
    ["2001:db8::1:0:0:1", ["2001:db8::1:0:0:0/80"], true],
    ["::", ["::"], true],
    ["::ffff:192.0.2.1", ["192.0.2.1"], true],
    ["192.0.2.1", ["::/0"], false],
    ["nonsense", ["0.0.0.0/0"], false],
  ])("%s in %j: %s", (ip, ranges, expected) => expect(tableOf(ranges).has(ip)).toBe(expected));

  it("counts a network once", () => {
    expect(tableOf(["192.0.2.1/24", "192.0.2.9/24", "192.0.2.9", "0.0.0.0", "0.0.0.0"]).size).toBe(3);
  });

  it("says what a linear search says, whatever the networks", () => {
    const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([ip, bits]) => `${ip}/${bits}`);
    const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([ip, bits]) => `${ip}/${bits}`);
    const ranges = fc.array(fc.oneof(v4, v6), { maxLength: 40 });
    const ips = fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 20 });
    fc.assert(
      fc.property(ranges, ips, (networks, asked) => {
        // The linear search takes IPv4-mapped networks for IPv6; lists hold none.
        const list = networks.filter(
          (network) =>
            !/::ffff:/i.test(network) &&
            (ipBytes(network.split("/")[0] ?? "")?.length === 16) === network.includes(":"),
        );
        const [table, linear] = [tableOf(list), ipRanges(list)];
        const near = list.map((network) => network.split("/")[0] ?? "");
        for (const ip of [...asked, ...near]) expect(table.has(ip), ip).toBe(linear.has(ip));
      }),
      { numRuns: 200 },
    );
  });
});
