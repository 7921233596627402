import { afterEach, describe, expect, it } from "vitest";
import { type DnsServerOptions, type RunningDnsServer, startDnsServer, zoneOf } from "../../scripts/lib/dns/server.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { reverseName } from "../../src/kit/names.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { createResolver, type Resolver, type ResolverOptions } from "../../src/resolver/resolver.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { until } from "../helpers/wait.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(options: DnsServerOptions): Promise<RunningDnsServer> {
  const server = await startDnsServer(options);
  closing.push(server.stop);
  return server;
}

function resolverOf(ports: readonly number[], more: Partial<ResolverOptions> = {}, clock = systemClock): Resolver {
  const resolver = createResolver(
    {
      servers: ports.map((port) => ({ host: "127.0.0.1", port })),
      timeoutMs: 600,
      budget: { questionsMax: 20, waitMs: 2000 },
      cache: { entriesMax: 100, bytesMax: 100_000, ttlMaxMs: 3_600_000, negativeTtlMaxMs: 900_000, failureTtlMs: 100 },
      ...more,
    },
    clock,
  );
  closing.push(resolver.close);
  return resolver;
}

const ZONE = zoneOf([
  "example.com A 192.0.2.1",
  "example.com A 192.0.2.2",
  "example.com AAAA 2001:db8::1",
  "mapped.example AAAA ::ffff:192.0.2.9",
  "example.com MX 10 Mail.Example.com",
  "null.example MX 0 .",
  "example.com TXT v=spf1 -all",
  `long.example TXT ${"x".repeat(700)}`,
  "7.2.0.192.in-addr.arpa PTR host.example.com",
  "www.example.com CNAME example.com",
  "dangling.example CNAME nowhere.example",
  "circle.example CNAME circle2.example",
  "circle2.example CNAME circle.example",
  "broken.example SERVFAIL",
  "quiet.example silence",
  ...Array.from({ length: 500 }, (_, index) => `many.example TXT record ${index}`),
]);

describe("the resolver", () => {
  it.each([
    ["example.com", "A", ["192.0.2.1", "192.0.2.2"]],
    ["EXAMPLE.com.", "AAAA", ["2001:db8::1"]],
    ["mapped.example", "AAAA", ["0:0:0:0:0:ffff:c000:209"]],
    ["example.com", "MX", [{ preference: 10, host: "mail.example.com" }]],
    ["null.example", "MX", [{ preference: 0, host: "" }]],
    ["example.com", "TXT", ["v=spf1 -all"]],
    ["long.example", "TXT", ["x".repeat(700)]],
    ["7.2.0.192.in-addr.arpa", "PTR", ["host.example.com"]],
    ["www.example.com", "A", ["192.0.2.1", "192.0.2.2"]],
  ] as const)("reads %s %s", async (name, type, records) => {
    const { port } = await serve({ zone: ZONE });
    expect(await resolverOf([port]).ask(name, type)).toEqual({ records, exists: true });
  });

  it.each([
    ["nowhere.example", "A", false],
    ["dangling.example", "A", false],
    ["circle.example", "A", true],
    ["example.com", "PTR", true],
    ["com", "A", true],
    [`${"x".repeat(64)}.example`, "A", false],
    ["a..example", "A", false],
  ] as const)("tells what is not there: %s %s exists %s", async (name, type, exists) => {
    const { port } = await serve({ zone: ZONE });
    expect(await resolverOf([port]).ask(name, type)).toEqual({ records: [], exists });
  });

  it("takes an answer of 500 records, over TCP", async () => {
    const { port, asked } = await serve({ zone: ZONE });
    const { records } = await resolverOf([port]).ask("many.example", "TXT");
    expect(records).toHaveLength(500);
    expect(asked).toEqual(["TXT many.example", "TXT many.example (tcp)"]);
  });

  it("asks over TCP when the server says that the answer is cut", async () => {
    const { port } = await serve({ zone: ZONE, truncate: true });
    expect((await resolverOf([port]).ask("example.com", "TXT")).records).toEqual(["v=spf1 -all"]);
  });

  it.each([
    ["silence", "quiet.example", {}],
    ["a server that fails", "broken.example", {}],
    ["an answer that trickles in", "example.com", { truncate: true, trickleMs: 200 }],
    ["an answer that comes too late", "example.com", { delayMs: 2000 }],
  ])("gives no answer within its time: %s", async (_, name, how) => {
    const { port } = await serve({ zone: ZONE, ...how });
    const began = performance.now();
    await expect(resolverOf([port]).ask(name, "TXT")).rejects.toThrow(Unavailable);
    expect(performance.now() - began).toBeLessThan(1500);
  });

  it("says at once that nobody listens", async () => {
    const { port, stop } = await startDnsServer();
    await stop();
    await expect(resolverOf([port]).ask("example.com", "A")).rejects.toThrow(Unavailable);
  });

  it("goes on to the next server when one is silent or fails", async () => {
    const silent = await serve({ zone: zoneOf(["example.com silence"]) });
    const failing = await serve({ zone: zoneOf(["example.com SERVFAIL"]) });
    const good = await serve({ zone: ZONE });
    const resolver = resolverOf([silent.port, failing.port, good.port]);
    expect((await resolver.ask("example.com", "TXT")).records).toEqual(["v=spf1 -all"]);
  });

  it("asks once for many who want to know, and not again while the answer holds", async () => {
    const clock = handClock();
    const { port, asked } = await serve({ zone: ZONE, ttl: 60, delayMs: 20 });
    const resolver = resolverOf([port], {}, clock);
    await Promise.all(Array.from({ length: 50 }, () => resolver.ask("example.com", "TXT")));
    await resolver.ask("Example.Com", "TXT");
    await resolver.ask("nowhere.example", "TXT");
    await resolver.ask("nowhere.example", "TXT");
    expect(asked).toEqual(["TXT example.com", "TXT nowhere.example"]);
    await clock.pass(61_000);
    await resolver.ask("example.com", "TXT");
    await resolver.ask("nowhere.example", "TXT");
    expect(asked).toHaveLength(4);
  });

  it("asks again before an answer in use ends, and nobody waits for it", async () => {
    const clock = handClock();
    const { port, asked, change } = await serve({ zone: ZONE, ttl: 60 });
    const resolver = resolverOf([port], {}, clock);
    await resolver.ask("example.com", "TXT");
    await clock.pass(55_000);
    change({ zone: ZONE, ttl: 60, delayMs: 150 });
    const began = performance.now();
    await Promise.all([resolver.ask("example.com", "TXT"), resolver.ask("example.com", "TXT")]);
    expect(performance.now() - began).toBeLessThan(100);
    await until("the second question", () => asked.length === 2);
    // Asked later and answered later: by then the new answer is in.
    await resolver.ask("nowhere.example", "A");
    await clock.pass(50_000);
    await resolver.ask("example.com", "TXT");
    expect(asked.filter((question) => question === "TXT example.com")).toHaveLength(2);
  });

  it("does not let a silent name slow the others", async () => {
    const { port } = await serve({ zone: ZONE });
    const resolver = resolverOf([port]);
    const silent = Array.from({ length: 500 }, () => resolver.ask("quiet.example", "TXT").catch(() => "no answer"));
    const began = performance.now();
    for (let n = 0; n < 100; n += 1) await resolver.ask(`${n}.example`, "A");
    expect(performance.now() - began).toBeLessThan(600);
    expect(new Set(await Promise.all(silent))).toEqual(new Set(["no answer"]));
  });

  it("forgets the oldest answer when it keeps too many", async () => {
    const { port, asked } = await serve({ zone: ZONE });
    const resolver = resolverOf([port], {
      cache: { entriesMax: 2, bytesMax: 100_000, ttlMaxMs: 60_000, negativeTtlMaxMs: 60_000, failureTtlMs: 100 },
    });
    for (const name of ["a.example", "b.example", "c.example", "a.example"]) await resolver.ask(name, "A");
    expect(asked).toHaveLength(4);
  });

  it("holds one mail to its questions and its time, and lets the next one ask", async () => {
    const { port } = await serve({ zone: ZONE });
    const resolver = resolverOf([port], { budget: { questionsMax: 3, waitMs: 200 } });
    const [asking, waiting] = [resolver.within({}), resolver.within({})];
    for (let n = 0; n < 3; n += 1) await asking.ask("example.com", "A");
    await expect(asking.ask("example.com", "A")).rejects.toThrow(Unavailable);
    await expect(waiting.ask("quiet.example", "A")).rejects.toThrow("no answer in 200 ms");
    await expect(waiting.ask("example.com", "A")).rejects.toThrow(Unavailable);
    expect((await resolver.within({}).ask("example.com", "A")).records).toHaveLength(2);
  });
});

describe("reverse names", () => {
  it.each([
    ["192.0.2.7", "7.2.0.192.in-addr.arpa"],
    ["2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"],
    ["::1", `1.${"0.".repeat(31)}ip6.arpa`],
  ])("of %s", (ip, name) => {
    expect(reverseName(ip)).toBe(name);
  });
});
