/** The SPF suites against a real DNS server. One command: vitest run test/real/auth-spf.test.ts */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningDnsServer, startDnsServer } from "../../scripts/lib/dns/server.ts";
import { checkHost, type SpfOutcome } from "../../src/authenticity/spf/check.ts";
import { systemClock } from "../../src/kit/clock.ts";
import type { Names } from "../../src/kit/names.ts";
import { createResolver } from "../../src/resolver/resolver.ts";
import { hasSuite } from "../helpers/suites/corpus.ts";
import { type SpfCase, spfCases } from "../helpers/suites/spf.ts";
import { createTally } from "../helpers/suites/tally.ts";

const TIMEOUT_MS = 250;

describe.skipIf(!hasSuite("auth-spf"))("the SPF suites (beside the checkout)", () => {
  const tally = createTally("SPF");
  let server: RunningDnsServer;
  beforeAll(async () => {
    server = await startDnsServer();
  });
  afterAll(async () => {
    await server.stop();
    tally.print();
  });

  it.each(spfCases().map((each) => [`${each.file} ${each.name}`, each] as const))("%s", async (name, each) => {
    server.change({ zone: each.zone });
    const resolver = createResolver(
      {
        servers: [{ host: "127.0.0.1", port: server.port }],
        timeoutMs: TIMEOUT_MS,
        budget: { questionsMax: 200, waitMs: 5000 },
        cache: { entriesMax: 1000, bytesMax: 1e6, ttlMaxMs: 60_000, negativeTtlMaxMs: 60_000, failureTtlMs: 60_000 },
      },
      systemClock,
    );
    const outcome = await judge(resolver.within({}), each);
    resolver.close();
    tally.check(name, deviationOf(each, outcome), () => {
      expect(each.results, outcome.because).toContain(outcome.result);
      if (each.explanation !== undefined) expect(outcome.explanation ?? "DEFAULT").toBe(each.explanation);
    });
  });
});

async function judge(names: Names, { ip, helo, sender, checksHelo }: SpfCase): Promise<SpfOutcome> {
  const common = { ip, helo, receiver: "receiver.example", nowMs: Date.now() };
  const byHelo = () => checkHost(names, { ...common, domain: helo, sender: `postmaster@${helo}` });
  if (sender === "") return byHelo();
  const first = checksHelo ? await byHelo() : undefined;
  if (first && first.result !== "pass") return first;
  return checkHost(names, { ...common, domain: sender.slice(sender.lastIndexOf("@") + 1), sender });
}

/** Why a case may end otherwise; by what it holds, so that it goes for other cases of the kind too. */
function deviationOf({ file, strict, zone }: SpfCase, { because = "" }: SpfOutcome): string | undefined {
  if (strict !== undefined && strict !== 1) return "pyspf's own lax and harsh ways are not RFC 7208";
  if (!file.startsWith("stalwart-")) return undefined;
  if (because.includes("look-ups without an answer")) return "RFC 7208 4.6.4: two look-ups without an answer at most";
  const records = [...zone.values()]
    .flat()
    .flatMap((entry) => ("type" in entry && entry.type === "TXT" ? entry.value : []));
  return records.some((text) => / [+?~-]?ip:/.test(String(text)))
    ? "RFC 7208 4.6: a mechanism nobody knows is an error wherever it stands"
    : undefined;
}
