/**
 * The SPF suites through the real SMTP door: dns.servers is the suite's DNS, the client's address comes by XCLIENT, and what counts is
 * the reply and the Authentication-Results of what was delivered. One command: vitest run test/real/auth-smtp.test.ts
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningDnsServer, startDnsServer } from "../../scripts/lib/dns/server.ts";
import { parsePathWithParams } from "../../src/mail/path.ts";
import { sharedService } from "../helpers/service.ts";
import { type HeardReply, openTalk } from "../helpers/smtp-talk.ts";
import { hasSuite } from "../helpers/suites/corpus.ts";
import { type SpfCase, spfCases } from "../helpers/suites/spf.ts";
import { createTally } from "../helpers/suites/tally.ts";

const RULES = {
  default: "off",
  "envelope/authenticity": { mode: "enforce", spfFail: "reject", spfError: "reject" },
};

/** What the client hears for each result of SPF, when nothing else decides. */
const REPLIES: Readonly<Record<string, string>> = {
  fail: "550 5.7.23",
  permerror: "550 5.7.24",
  temperror: "451 4.4.3",
};

describe.skipIf(!hasSuite("auth-spf"))("the SPF suites through the SMTP door (beside the checkout)", () => {
  const tally = createTally("SPF over SMTP");
  const service = sharedService({ rules: RULES });
  let server: RunningDnsServer;
  let zone: SpfCase["zone"] | undefined;
  let inexpressible = 0;
  beforeAll(async () => {
    server = await startDnsServer();
  });
  afterAll(async () => {
    await server.stop();
    tally.print();
    console.log(`SPF over SMTP: ${inexpressible} cases that a MAIL or HELO command cannot say`);
  });

  const cases = spfCases().filter(({ checksHelo, strict }) => !checksHelo && strict === undefined);
  it.each(cases.map((each, index) => [`${each.file} ${each.name}`, each, `r${index}@example.com`] as const))(
    "%s",
    async (name, each, recipient) => {
      if (zone !== each.zone) {
        zone = each.zone;
        server.change({ zone });
        // Another zone, another resolver: names of one suite mean something else in the next.
        await service().reload({ dns: { servers: [server.address], timeoutMs: 250 }, rules: RULES });
      }
      if (!parsePathWithParams(`<${each.sender}>`) || /[^\x21-\x7e]/.test(each.helo)) {
        inexpressible += 1;
        return;
      }
      const reply = await send(service().smtp, each, recipient);
      const [mail] = service().mailsTo(recipient);
      tally.check(name, undefined, () => expect([told(reply, mail)]).toEqual([expect.stringMatching(wanted(each))]));
    },
  );
});

/** "550 5.7.23", or "250 pass": the reply, and what was written into the mail about the identity that counts. */
function told({ code, enhanced }: HeardReply, mail: string | undefined): string {
  if (code !== 250) return `${code} ${enhanced}`;
  return `250 ${/^Authentication-Results: relay\.example\.net;\r\n\tspf=(\w+)/m.exec(mail ?? "")?.[1]}`;
}

const wanted = ({ results }: SpfCase): RegExp =>
  new RegExp(`^(?:${results.map((result) => REPLIES[result] ?? `250 ${result}`).join("|")})$`);

async function send(port: number, { ip, helo, sender }: SpfCase, recipient: string): Promise<HeardReply> {
  const talk = await openTalk(port);
  const address = ip.includes(":") ? `IPV6:${ip}` : ip;
  await talk.sayAll("EHLO proxy.example", `XCLIENT ADDR=${address} NAME=[UNAVAILABLE]`, `EHLO ${helo}`);
  await talk.sayAll(`MAIL FROM:<${sender}>`, `RCPT TO:<${recipient}>`, "DATA");
  const reply = await talk.data("From: somebody@author.invalid\nDate: Sun, 22 Nov 2026 07:30:00 +0000\n\nhello\n");
  talk.vanish();
  return reply;
}
