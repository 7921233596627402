/** The DMARC mails against a real DNS server. One command: vitest run test/real/auth-dmarc.test.ts */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningDnsServer, startDnsServer } from "../../scripts/lib/dns/server.ts";
import { type Authenticity, judgeAuthenticity } from "../../src/authenticity/judge.ts";
import { claimedResults } from "../../src/authenticity/results.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { Headers } from "../../src/mail/headers.ts";
import { parseAddress } from "../../src/mail/path.ts";
import { createResolver } from "../../src/resolver/resolver.ts";
import { contentOf } from "../helpers/letters.ts";
import { hasSuite } from "../helpers/suites/corpus.ts";
import { type DmarcCase, dmarcCases, writtenResults } from "../helpers/suites/dmarc.ts";
import { createTally } from "../helpers/suites/tally.ts";

describe.skipIf(!hasSuite("auth-dmarc-ar"))("the DMARC mails (beside the checkout)", () => {
  const tally = createTally("DMARC");
  let server: RunningDnsServer;
  beforeAll(async () => {
    server = await startDnsServer();
  });
  afterAll(async () => {
    await server.stop();
    tally.print();
  });

  async function judge({ mail, ip, sender, zone, edition }: DmarcCase): Promise<Authenticity> {
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
    const found = await judgeAuthenticity(resolver.within({}), {
      ip,
      helo: "client.invalid",
      session: {},
      sender: parseAddress(sender) ?? null,
      headers: mail.headers,
      content: contentOf(Buffer.concat([mail.block, mail.body as Buffer])),
      hostname: "relay.example.net",
      nowMs: Date.now(),
      edition,
      signaturesMax: 10,
      sample: 50,
    });
    resolver.close();
    return found;
  }

  it.each(dmarcCases().map((each) => [each.name, each] as const))("%s", async (name, each) => {
    const { dmarc, dkim } = await judge(each);
    const policy = dmarc.result === "fail" ? ` ${dmarc.policy}` : "";
    const signed = dkim.some(({ result }) => result === "pass") ? "pass" : "not-pass";
    tally.check(name, undefined, () => {
      if (each.expected !== "") expect(`${dmarc.result}${policy}`, dmarc.because).toBe(each.expected);
      if (each.dkim) expect(signed, dkim[0]?.because).toBe(each.dkim);
    });
  });

  it.each(writtenResults().map((each) => [each.name, each] as const))(
    "results written by another program are known as that server's: %s",
    (name, { header, hostname }) => {
      const headers = Headers.parse(header);
      tally.check(name, undefined, () => {
        expect(claimedResults(headers, hostname).length).toBeGreaterThan(0);
        expect(claimedResults(headers, "relay.example.net")).toEqual([]);
      });
    },
  );
});
