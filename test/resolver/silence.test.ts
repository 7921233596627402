import { afterEach, describe, expect, it } from "vitest";
import { type DnsServerOptions, startDnsServer, zoneOf } from "../../scripts/lib/dns/server.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { createResolver, type Resolver } from "../../src/resolver/resolver.ts";
import { until } from "../helpers/wait.ts";

/**
 * Regression: with DNS silent a mail waited once for the name of its client's address and once more for its sender's domain, each
 * time as long as one question may take.
 */
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const ZONE = zoneOf(["example.com MX 10 mx.example.com", "dead.example silence", "dead2.example silence"]);

async function world(options: DnsServerOptions, failureTtlMs = 60_000) {
  const server = await startDnsServer({ zone: ZONE, ...options });
  const resolver: Resolver = createResolver(
    {
      servers: [{ host: "127.0.0.1", port: server.port }],
      timeoutMs: 300,
      budget: { questionsMax: 100, waitMs: 60_000 },
      cache: {
        entriesMax: 100,
        bytesMax: 100_000,
        ttlMaxMs: 3_600_000,
        negativeTtlMaxMs: 900_000,
        failureTtlMs,
      },
    },
    systemClock,
  );
  closing.push(resolver.close, server.stop);
  return { server, resolver };
}

const outcomeOf = (asking: Promise<unknown>): Promise<string> =>
  asking.then(
    () => "answered",
    (error: Error) => error.message,
  );

describe("DNS that is silent", () => {
  it("is waited for once, not once for each name", async () => {
    const { server, resolver } = await world({ silent: true });
    expect(await outcomeOf(resolver.ask("a.example", "PTR"))).toContain("no answer in 300 ms");
    const before = server.asked.length;
    for (const name of ["b.example", "c.example", "d.example"]) {
      expect(await outcomeOf(resolver.ask(name, "MX"))).toContain("the servers are silent");
    }
    expect(server.asked).toHaveLength(before);
    expect(server.asked).toContain("A ");
  });

  it("is asked again after a while, and believed at once when it answers", async () => {
    const { server, resolver } = await world({ silent: true }, 100);
    expect(await outcomeOf(resolver.ask("a.example", "A"))).toContain("no answer in");
    expect(await outcomeOf(resolver.ask("b.example", "A"))).toContain("silent");
    server.change({ zone: ZONE });
    await until("an answer", async () => (await outcomeOf(resolver.ask("example.com", "MX"))) === "answered");
    expect(await outcomeOf(resolver.ask("c.example", "A"))).toBe("answered");
  });

  it("is not taken for silent because one name is: the servers are asked for the root", async () => {
    const { server, resolver } = await world({});
    expect(await outcomeOf(resolver.ask("dead.example", "A"))).toContain("no answer in 300 ms");
    expect(await outcomeOf(resolver.ask("dead2.example", "A"))).toContain("no answer in 300 ms");
    expect(await outcomeOf(resolver.ask("example.com", "MX"))).toBe("answered");
    expect(server.asked).toContain("A ");
  });

  it("is not asked for the root while it answers others", async () => {
    const { server, resolver } = await world({});
    const dead = outcomeOf(resolver.ask("dead.example", "A"));
    for (let n = 0; server.asked.filter((each) => each === "A dead.example").length < 2; n += 1) {
      await resolver.ask(`${n}.example`, "A");
    }
    for (let n = 0; (await Promise.race([dead, "waiting"])) === "waiting"; n += 1) {
      await resolver.ask(`${n}.other.example`, "A");
    }
    expect(server.asked).not.toContain("A ");
  });

  it("still knows what was answered before", async () => {
    const { server, resolver } = await world({});
    await resolver.ask("example.com", "MX");
    server.change({ silent: true });
    expect(await outcomeOf(resolver.ask("a.example", "A"))).toContain("no answer in");
    expect(await outcomeOf(resolver.ask("example.com", "MX"))).toBe("answered");
  });
});
