/** The DKIM sets against a real DNS server. One command: vitest run test/real/auth-dkim.test.ts */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningDnsServer, startDnsServer } from "../../scripts/lib/dns/server.ts";
import { canonicalField, createBodyHash } from "../../src/authenticity/dkim/canonical.ts";
import { type DkimOutcome, verifyDkim } from "../../src/authenticity/dkim/verify.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { createResolver } from "../../src/resolver/resolver.ts";
import { hasSuite, suitePath } from "../helpers/suites/corpus.ts";
import { type DkimCase, dkim2Mails, dkimCases, mailOf } from "../helpers/suites/dkim.ts";
import { createTally } from "../helpers/suites/tally.ts";

/** Mails of 2005 to 2010 were signed with what RFC 8301 has since called worthless: here the arithmetic is what is tested. */
const AS_IT_WAS = { rsaBitsMin: 512, sha1: true };

describe.skipIf(!hasSuite("auth-dkim"))("the DKIM sets (beside the checkout)", () => {
  const tally = createTally("DKIM");
  let server: RunningDnsServer;
  beforeAll(async () => {
    server = await startDnsServer();
  });
  afterAll(async () => {
    await server.stop();
    tally.print();
    console.log(`DKIM: ${dkim2Mails()} mails of the DKIM2 draft left out: nothing here speaks it`);
  });

  async function verify({ mail, zone }: DkimCase, policy?: typeof AS_IT_WAS): Promise<DkimOutcome[]> {
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
    const options = { nowMs: Date.now(), signaturesMax: 10, ...(policy && { policy }) };
    const outcomes = await verifyDkim(resolver.within({}), mail, options);
    resolver.close();
    return outcomes;
  }

  it.each(dkimCases().map((each) => [each.name, each] as const))("%s", async (name, each) => {
    const outcomes = await verify(each, AS_IT_WAS);
    const passes = outcomes.some(({ result }) => result === "pass");
    const told = outcomes.map(({ result, because = "" }) => `${result} ${because}`).join("; ");
    tally.check(name, deviationOf(each, outcomes), () => {
      if (each.expected !== "any") expect(passes ? "pass" : "not-pass", told).toBe(each.expected);
    });
  });

  it("old hashes and short keys pass no more", async () => {
    for (const each of dkimCases()) {
      const outcomes = await verify(each);
      const weak = outcomes.filter(({ result, algorithm }) => result === "pass" && algorithm === "rsa-sha1");
      expect(weak, each.name).toEqual([]);
    }
  }, 60_000);

  const FLANKER = suitePath("auth-dkim/flanker-canon");
  const emails = existsSync(FLANKER) ? readdirSync(FLANKER).filter((file) => file.startsWith("email.")) : [];
  it.each(emails.flatMap((file) => (["simple", "relaxed"] as const).map((canon) => [file, canon] as const)))(
    "flanker-canon %s in %s form",
    (file, canon) => {
      const mail = mailOf(readFileSync(`${FLANKER}/${file}`));
      const expected = mailOf(readFileSync(`${FLANKER}/${canon}.expected${file.slice("email".length)}`));
      const hash = createBodyHash(canon, "sha256");
      hash.update(mail.body as Buffer);
      tally.check(`${file} ${canon}`, undefined, () => {
        const header = mail.headers.fields.map((field) => canonicalField(field, mail.block, canon)).join("");
        expect(`${header}\r\n`).toBe(expected.block.toString("latin1"));
        expect(hash.digest()).toBe(
          createHash("sha256")
            .update(expected.body as Buffer)
            .digest("base64"),
        );
      });
    },
  );
});

/** Why a case may end otherwise; by what it holds, so that it goes for other cases of the kind too. */
function deviationOf({ mail, zone }: DkimCase, outcomes: readonly DkimOutcome[]): string | undefined {
  const signatures = mail.headers.all("dkim-signature");
  if (signatures.length === 0 && mail.headers.first("domainkey-signature")) {
    return "DomainKeys (RFC 4870) is historic and proves nothing here";
  }
  if (outcomes.length === 0) return "there is no signature in it";
  if (signatures.length > 0 && signatures.every((value) => !/(?:^|;)\s*v\s*=\s*1\s*(?:;|$)/.test(value))) {
    return "a signature of the drafts before RFC 4871, without v=1";
  }
  if (
    outcomes.some(({ selector, domain }) => keyText(zone, `${selector}._domainkey.${domain}`).match(/(?:^|;)\s*g\s*=/))
  ) {
    return "RFC 6376 dropped g= of key records";
  }
  return outcomes.length > 0 && outcomes.every(({ because }) => because === "no key in DNS")
    ? "the key is in no DNS that came with the set"
    : undefined;
}

const keyText = (zone: DkimCase["zone"], name: string): string =>
  (zone.get(name.toLowerCase()) ?? []).map((entry) => ("type" in entry ? String(entry.value) : "")).join();
