import { describe, expect, it, onTestFinished } from "vitest";
import { type RunningDnsServer, startDnsServer, zoneOf } from "../../scripts/lib/dns/server.ts";
import { createResolver } from "../../src/resolver/resolver.ts";
import { createDnsList } from "../../src/signals/dns-list.ts";
import { createListReader } from "../../src/signals/lists.ts";
import { type HandClock, handClock } from "../helpers/hand-clock.ts";

/** Lists in a zone that a real DNS server on this machine serves. */
const SOUND = [
  "2.0.0.127.list.example A 127.0.0.2",
  `2.0.0.0.0.0.f.7.f.f.f.f${".0".repeat(20)}.list.example A 127.0.0.2`,
];
const LISTED = "9.113.0.203.list.example";

interface Told {
  readonly family: string;
  readonly dropped?: string;
}

async function listOn(records: readonly string[], more: { answers?: string[]; clock?: HandClock } = {}) {
  const server: RunningDnsServer = await startDnsServer({ zone: zoneOf([...records]) });
  onTestFinished(server.stop);
  return { server, ...reader(server.port, more) };
}

function reader(port: number, { answers = [], clock = handClock() }: { answers?: string[]; clock?: HandClock }) {
  const told: Told[] = [];
  const resolver = createResolver(
    {
      servers: [{ host: "127.0.0.1", port }],
      timeoutMs: 300,
      budget: { questionsMax: 100, waitMs: 5_000 },
      cache: { entriesMax: 100, bytesMax: 100_000, ttlMaxMs: 1, negativeTtlMaxMs: 1, failureTtlMs: 1 },
    },
    clock,
  );
  onTestFinished(() => resolver.close());
  const onState = ({ family, dropped }: Told) => void told.push({ family, ...(dropped !== undefined && { dropped }) });
  const dns = createDnsList({ zone: "list.example", answers, recheckMs: 60_000 }, { clock, onState });
  const lists = createListReader([{ name: "list.example", kind: "block", weight: 1, dns }]);
  const look = async (ip: string) => {
    await clock.pass(10);
    return lists.look(ip, resolver.within({}), resolver);
  };
  return { clock, told, look };
}

describe("a list in DNS", () => {
  it.each([
    ["lists an address", "203.0.113.9", [`${LISTED} A 127.0.0.3`], [], 1],
    ["does not list another", "203.0.113.8", [`${LISTED} A 127.0.0.3`], [], 0],
    ["answers what counts", "203.0.113.9", [`${LISTED} A 127.0.0.11`], ["127.0.0.2", "127.0.0.10-127.0.0.12"], 1],
    ["answers something else", "203.0.113.9", [`${LISTED} A 127.0.0.13`], ["127.0.0.2", "127.0.0.10-127.0.0.12"], 0],
    ["answers several things", "203.0.113.9", [`${LISTED} A 127.0.0.13`, `${LISTED} A 127.0.0.2`], ["127.0.0.2"], 1],
    ["answers what no list does", "203.0.113.9", [`${LISTED} A 198.51.100.1`], [], 0],
    ["knows nothing of an address nearby", "10.0.0.1", ["1.0.0.10.list.example A 127.0.0.2"], [], 0],
  ])("%s", async (_, ip, records, answers, weight) => {
    const { look, told } = await listOn([...SOUND, ...records], { answers });
    expect(await look(ip)).toMatchObject({ weight, missing: [] });
    expect(told.filter(({ dropped }) => dropped)).toEqual([]);
  });

  it("lists an IPv6 address by its nibbles", async () => {
    const name = `9.0.0.0.${"0.0.0.0.".repeat(5)}8.b.d.0.1.0.0.2.list.example`;
    const { look } = await listOn([...SOUND, `${name} A 127.0.0.2`]);
    expect(await look("2001:db8::9")).toMatchObject({ weight: 1, missing: [] });
    expect(await look("2001:db8::8")).toMatchObject({ weight: 0, missing: [] });
  });

  it.each([
    ["is dead", [], "it lists nothing: 127.0.0.2 is not listed"],
    [
      "lists everything",
      [
        "*.list.example A 127.0.0.2",
        "2.0.0.127.list.example A 127.0.0.2",
        "1.0.0.127.list.example A 127.0.0.2",
        `${LISTED} A 127.0.0.2`,
      ],
      "it lists everything: 127.0.0.1 is listed",
    ],
    [
      "was sold: every name has a web server",
      ["2.0.0.127.list.example A 198.51.100.1", `${LISTED} A 198.51.100.1`],
      "it lists nothing: 127.0.0.2 is not listed",
    ],
    [
      "refuses our questions",
      ["2.0.0.127.list.example A 127.255.255.254", `${LISTED} A 127.255.255.254`],
      "it refuses our questions",
    ],
    ["is broken", ["2.0.0.127.list.example SERVFAIL", "1.0.0.127.list.example SERVFAIL"], "it does not answer"],
  ])("that %s is dropped, with one warning, and named as missing", async (_, records, dropped) => {
    const { look, told } = await listOn(records);
    for (let mails = 0; mails < 3; mails += 1) {
      expect(await look("203.0.113.9")).toEqual({ hits: [], weight: 0, missing: ["list.example"] });
    }
    expect(told).toEqual([{ family: "IPv4", dropped }]);
  });

  it("that knows IPv4 only is dropped for IPv6 only", async () => {
    const { look, told } = await listOn([SOUND[0] ?? "", `${LISTED} A 127.0.0.2`]);
    expect(await look("203.0.113.9")).toMatchObject({ weight: 1 });
    expect(await look("2001:db8::9")).toMatchObject({ weight: 0, missing: ["list.example"] });
    expect(told).toEqual([{ family: "IPv6", dropped: "it lists nothing: ::ffff:7f00:2 is not listed" }]);
  });

  it("comes back by itself, and is told of", async () => {
    const { server, look, told, clock } = await listOn([]);
    expect((await look("203.0.113.9")).missing).toEqual(["list.example"]);
    server.change({ zone: zoneOf([...SOUND, `${LISTED} A 127.0.0.2`]) });
    expect((await look("203.0.113.9")).missing, "not before the next test").toEqual(["list.example"]);
    await clock.pass(60_001);
    expect(await look("203.0.113.9")).toMatchObject({ weight: 1, missing: [] });
    expect(told).toEqual([{ family: "IPv4", dropped: expect.any(String) }, { family: "IPv4" }]);
  });

  it("that falls silent costs three mails a wait, and then none", async () => {
    const { server, look, told } = await listOn([...SOUND]);
    expect((await look("203.0.113.1")).missing).toEqual([]);
    const silent = [1, 2, 3, 4, 5].map((last) => `${last}.113.0.203.list.example silence`);
    server.change({ zone: zoneOf(silent) });
    for (const last of [2, 3, 4]) expect((await look(`203.0.113.${last}`)).missing).toEqual(["list.example"]);
    const before = performance.now();
    expect((await look("203.0.113.5")).missing).toEqual(["list.example"]);
    expect(performance.now() - before).toBeLessThan(100);
    expect(told).toEqual([{ family: "IPv4", dropped: "it does not answer" }]);
  });
});

describe("several lists", () => {
  const list = (name: string, kind: "block" | "allow", weight: number, ips: readonly string[] | undefined) => ({
    name,
    kind,
    weight,
    has: (ip: string) => ips?.includes(ip),
  });

  it("are weighed, allow lists against block lists", async () => {
    const lists = createListReader([
      list("a", "block", 1, ["192.0.2.1"]),
      list("b", "block", 0.5, ["192.0.2.1", "192.0.2.2"]),
      list("c", "allow", 2, ["192.0.2.1"]),
      list("unread", "block", 1, undefined),
    ]);
    expect(await lists.look("192.0.2.1")).toMatchObject({ weight: -0.5, missing: ["unread"] });
    expect(await lists.look("192.0.2.2")).toMatchObject({ weight: 0.5, hits: [{ name: "b" }] });
    expect(await lists.look("192.0.2.3")).toMatchObject({ weight: 0, hits: [] });
  });
});
