/** The ARC suite against a real DNS server. One command: vitest run test/real/auth-arc.test.ts */
import { createPrivateKey } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningDnsServer, startDnsServer, type Zone } from "../../scripts/lib/dns/server.ts";
import { sealArc } from "../../src/authenticity/arc/seal.ts";
import { type ArcOutcome, verifyArc } from "../../src/authenticity/arc/verify.ts";
import { readTags, unfolded } from "../../src/authenticity/dkim/tags.ts";
import type { SignedMail } from "../../src/authenticity/dkim/verify.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { createResolver } from "../../src/resolver/resolver.ts";
import { type ArcCase, arcCases, arcSignCases } from "../helpers/suites/arc.ts";
import { hasSuite } from "../helpers/suites/corpus.ts";
import { createTally } from "../helpers/suites/tally.ts";

describe.skipIf(!hasSuite("auth-arc"))("the ARC suite (beside the checkout)", () => {
  const tally = createTally("ARC");
  let server: RunningDnsServer;
  beforeAll(async () => {
    server = await startDnsServer();
  });
  afterAll(async () => {
    await server.stop();
    tally.print();
  });

  async function verify(mail: SignedMail, zone: Zone): Promise<ArcOutcome> {
    server.change({ zone });
    const resolver = createResolver(
      {
        servers: [{ host: "127.0.0.1", port: server.port }],
        timeoutMs: 300,
        budget: { questionsMax: 200, waitMs: 5000 },
        cache: { entriesMax: 100, bytesMax: 1e6, ttlMaxMs: 60_000, negativeTtlMaxMs: 60_000, failureTtlMs: 60_000 },
      },
      systemClock,
    );
    const outcome = await verifyArc(resolver.within({}), mail);
    resolver.close();
    return outcome;
  }

  it.each(arcCases().map((each) => [each.name, each] as const))("validates %s", async (name, each) => {
    const outcome = await verify(each.mail, each.zone);
    tally.check(name, deviationOf(each, outcome), () => expect(outcome.result, outcome.because).toBe(each.expected));
  });

  it.each(arcSignCases().map((each) => [each.name, each] as const))("seals %s", async (name, each) => {
    const results = each.mail.headers
      .all("authentication-results")
      .filter((value) => value.toLowerCase().startsWith(`${each.server.toLowerCase()};`))
      .map((value) => value.slice(value.indexOf(";") + 1).trim())
      .join("; ");
    const fields = await sealArc(each.mail, {
      sealer: { domain: each.domain, selector: each.selector, key: createPrivateKey(each.privateKey) },
      chain: await verify(each.mail, each.zone),
      results: `${each.server}; ${results}`,
      signedNames: each.signedNames,
      nowMs: each.timeS * 1000,
    });
    const tagsOf = (name: string): Record<string, string> =>
      plain(fields.find((field) => field.name === name)?.value ?? "");
    tally.check(name, undefined, () => {
      expect(tagsOf("ARC-Message-Signature")).toEqual(plain(each.expected.message));
      expect(tagsOf("ARC-Seal")).toEqual(plain(each.expected.seal));
    });
  });
});

const plain = (text: string): Record<string, string> =>
  Object.fromEntries([...(readTags(text.trim()) ?? [])].map(([tag, value]) => [tag, unfolded(value)]));

/** Why a case may end otherwise; by what it holds, so that it goes for other cases of the kind too. */
function deviationOf(_case: ArcCase, { because }: ArcOutcome): string | undefined {
  return because === "no key in DNS" ? "the key is in no DNS that came with the set" : undefined;
}
