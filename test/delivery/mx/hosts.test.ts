import { describe, expect, it } from "vitest";
import { createFinder, type FinderOptions } from "../../../src/delivery/mx/hosts.ts";
import { ownPlaces } from "../../../src/delivery/mx/own.ts";
import { isNearbyIp } from "../../../src/kit/ip.ts";
import { namesOf } from "../../helpers/names.ts";

const finder = (zone: readonly string[], more: Partial<FinderOptions> = {}) =>
  createFinder({
    names: namesOf(zone),
    isOurs: ownPlaces({ names: ["relay.example"], listens: [{ host: "192.0.2.99", port: 25 }], port: 25 }),
    mayCall: () => true,
    hostsMax: 5,
    addressesMax: 8,
    random: () => 0.5,
    ...more,
  });

/** "name ip" of each, or our own word for why there is none. */
async function found(zone: readonly string[], domain = "b.example", more: Partial<FinderOptions> = {}) {
  const result = await finder(zone, more)(domain);
  return "none" in result ? result.none : result.hosts.map(({ name, ip }) => `${name} ${ip}`);
}

describe("where a domain's mail goes", () => {
  it.each<[string, string[], string | string[]]>([
    [
      "MX by preference",
      [
        "b.example MX 20 two.example",
        "b.example MX 10 one.example",
        "one.example A 192.0.2.1",
        "two.example A 192.0.2.2",
      ],
      ["one.example 192.0.2.1", "two.example 192.0.2.2"],
    ],
    [
      "IPv6 and IPv4 of a host in turn",
      [
        "b.example MX 10 one.example",
        "one.example A 192.0.2.1",
        "one.example A 192.0.2.2",
        "one.example AAAA 2001:db8::1",
        "one.example AAAA 2001:db8::2",
      ],
      ["one.example 2001:db8::1", "one.example 192.0.2.1", "one.example 2001:db8::2", "one.example 192.0.2.2"],
    ],
    ["the domain itself where there is no MX", ["b.example A 192.0.2.7"], ["b.example 192.0.2.7"]],
    ["nowhere with a null MX", ["b.example MX 0 .", "b.example A 192.0.2.7"], "null-mx"],
    ["nowhere without a domain", ["a.example A 192.0.2.7"], "no-domain"],
    ["nowhere without an address", ["b.example TXT x"], "no-address"],
    ["nowhere when the MX has no address", ["b.example MX 10 one.example", "one.example TXT x"], "no-address"],
    ["not to an MX that is an address", ["b.example MX 10 192.0.2.1", "192.0.2.1 A 192.0.2.1"], "no-address"],
    ["later, when DNS is silent about MX", ["b.example silence MX"], "dns-away"],
    [
      "later, when DNS is silent about the only host",
      ["b.example MX 10 one.example", "one.example silence A"],
      "dns-away",
    ],
    [
      "to the host that is known, when DNS is silent about the other",
      [
        "b.example MX 10 one.example",
        "b.example MX 20 two.example",
        "one.example silence A",
        "two.example A 192.0.2.2",
      ],
      ["two.example 192.0.2.2"],
    ],
    [
      "to those before our own name only",
      [
        "b.example MX 10 one.example",
        "b.example MX 20 relay.example",
        "b.example MX 20 same.example",
        "b.example MX 30 two.example",
        "one.example A 192.0.2.1",
        "same.example A 192.0.2.4",
        "relay.example A 192.0.2.3",
        "two.example A 192.0.2.2",
      ],
      ["one.example 192.0.2.1"],
    ],
    [
      "not to our own address under another name",
      ["b.example MX 10 alias.example", "alias.example A 192.0.2.99"],
      "own-mx",
    ],
    ["not to ourselves", ["b.example MX 10 relay.example", "relay.example A 192.0.2.1"], "own-mx"],
  ])("%s", async (_, zone, expected) => {
    expect(await found(zone)).toEqual(expected);
  });

  it("equal preferences in an order of chance", async () => {
    const zone = ["one", "two", "three"].flatMap((name, i) => [
      `b.example MX 10 ${name}.example`,
      `${name}.example A 192.0.2.${i + 1}`,
    ]);
    const firsts = new Set<string>();
    for (let i = 0; i < 200; i += 1) firsts.add(String((await found(zone, "b.example", { random: Math.random }))[0]));
    expect(firsts.size).toBe(3);
  });

  it("no more hosts are asked about and no more addresses given than allowed", async () => {
    const zone = Array.from({ length: 100 }, (_, i) => [
      `b.example MX ${i} h${i}.example`,
      `h${i}.example A 192.0.2.${i}`,
      `h${i}.example AAAA 2001:db8::${i}`,
    ]).flat();
    const asked: string[] = [];
    const some = await found(zone, "b.example", { names: namesOf(zone, asked), hostsMax: 3, addressesMax: 4 });
    expect(some).toHaveLength(4);
    expect(asked).toHaveLength(1 + 3 * 2);
  });

  it.each([
    ["[192.0.2.5]", ["192.0.2.5 192.0.2.5"]],
    ["[IPv6:2001:db8::5]", ["2001:db8::5 2001:db8::5"]],
    ["[192.0.2.99]", "own-mx"],
  ])("an address literal %s is its own host", async (domain, expected) => {
    expect(await found([], domain)).toEqual(expected);
  });

  it("addresses of the neighbourhood are left out where they may not be called", async () => {
    const zone = [
      "b.example MX 10 one.example",
      "one.example A 127.0.0.1",
      "one.example A 10.0.0.1",
      "one.example A 192.0.2.1",
    ];
    const mayCall = (ip: string): boolean => !isNearbyIp(ip);
    expect(await found(zone, "b.example", { mayCall })).toEqual(["one.example 192.0.2.1"]);
    expect(await found(zone.slice(0, 2), "b.example", { mayCall })).toBe("no-address");
    expect(await found([], "[127.0.0.1]", { mayCall })).toBe("no-address");
  });
});

describe("who is we", () => {
  const isOurs = ownPlaces({ names: ["Relay.Example"], listens: [{ host: "192.0.2.9", port: 25 }], port: 25 });
  it("our name in any case, and where we listen", () => {
    expect(isOurs({ name: "relay.example" })).toBe(true);
    expect(isOurs({ name: "other.example", ip: "192.0.2.9" })).toBe(true);
    expect(isOurs({ name: "other.example", ip: "192.0.2.8" })).toBe(false);
  });

  it("not a neighbour at another port of this machine", () => {
    const listens = [{ host: "0.0.0.0", port: 2525 }];
    expect(ownPlaces({ names: [], listens, port: 25 })({ name: "x.example", ip: "127.0.0.1" })).toBe(false);
    expect(ownPlaces({ names: [], listens, port: 2525 })({ name: "x.example", ip: "127.0.0.1" })).toBe(true);
  });
});
