import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { reportJson, reportLines } from "../../../src/commands/check-report.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { createTokens } from "../../../src/desk/tokens.ts";
import { type Rehearsal, rehearse } from "../../../src/doors/check/rehearsal.ts";
import { createIds } from "../../../src/kit/ids.ts";
import { createLog } from "../../../src/kit/log.ts";
import { layDownLaw } from "../../../src/law-in-force.ts";
import type { Client } from "../../../src/mail/client.ts";
import { createCodeRegister } from "../../../src/registers/codes.ts";
import { createConsentQuotas, onlyLooking } from "../../../src/registers/consent-quotas.ts";
import { createConsentRegister } from "../../../src/registers/consents.ts";
import { createMemoryStore } from "../../../src/stores/memory/store.ts";
import { handClock } from "../../helpers/hand-clock.ts";
import { contentOf, recipientOf, senderOf, sessionOf } from "../../helpers/letters.ts";
import { tempDir } from "../../helpers/temp.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const SHOP: Client = { id: "shop", kind: "advertiser", networks: [], domains: ["shop.example"], disabled: false };
const asShop = sessionOf({ client: SHOP, login: "shop" });
const asStranger = sessionOf({ helo: "mail.shop.example" });
const ad = (subject: string): string =>
  `From: Shop <a@shop.example>\r\nSubject: ${subject}\r\nDate: Sun, 22 Nov 2026 11:59:00 +0000\r\n\r\nBuy.\r\n`;

function house(yaml = "") {
  const path = join(tempDir(), "c.yaml");
  writeFileSync(path, `localDomains: [local.example]\n${yaml}`);
  const loaded = loadConfig(path, {});
  const clock = handClock(NOW);
  const store = createMemoryStore(clock);
  const secret = Buffer.alloc(32, 7);
  const consents = createConsentRegister(store.tables, clock);
  const ground = {
    clock,
    consents,
    quotas: onlyLooking(createConsentQuotas(store.admissions)),
    codes: createCodeRegister(store.tables, clock),
    tokens: createTokens(secret, clock, 30),
    ids: createIds(clock, secret),
    log: createLog("silent"),
  };
  const { pipeline, site } = layDownLaw(loaded, ground);
  const { hostname, limits } = loaded.config;
  const parts = { ...ground, pipeline, hostname, isLocal: site.isLocal, receivedMax: limits.receivedMax };
  const rehearsal = (more: Partial<Rehearsal>): Rehearsal => ({
    session: asStranger,
    sender: senderOf("a@shop.example"),
    recipients: [recipientOf("li@local.example")],
    mail: contentOf(ad("AD [QC] Sale")),
    limits,
    ...more,
  });
  return { consents, run: (more: Partial<Rehearsal> = {}) => rehearse(parts, rehearsal(more)) };
}

const heardOf = ({ heard }: Awaited<ReturnType<typeof rehearse>>) =>
  heard.map(({ after, reply }) => `${after} ${reply.code} ${reply.enhanced}`);
const about = { session: asShop, sender: senderOf("a@shop.example"), mendedLines: 0, nextHop: "smtp://hop.example" };

describe("a mail that is only rehearsed", () => {
  it("goes through all stages in their order, and is accepted where the relay would", async () => {
    const report = await house().run();
    expect(report.stages.map(({ stage }) => stage)).toEqual(["connect", "helo", "mail", "rcpt", "header", "body"]);
    expect(heardOf(report)).toEqual(["RCPT 250 2.0.0", "DATA 250 2.0.0"]);
    expect(report.outcomes).toMatchObject([{ accepted: true, decision: { kind: "accept" } }]);
  });

  it("stops where the relay would: a stranger who relays hears it at RCPT, and DATA never comes", async () => {
    const report = await house().run({ recipients: [recipientOf("x@far.example")] });
    expect(report.stages.map(({ stage }) => stage)).toEqual(["connect", "helo", "mail", "rcpt"]);
    expect(heardOf(report)).toEqual(["RCPT 550 5.7.1"]);
    expect(report.outcomes[0]).toMatchObject({
      accepted: false,
      decision: { by: { rule: { id: "relay/anonymous" } } },
    });
  });

  it("is judged for each recipient, and refused as a whole when one may not have it", async () => {
    const { consents, run } = house("packs:\n  byRecipientDomain: { free.example: [] }\n");
    await consents.grant({ recipient: "li@far.example", advertiser: "shop", topics: [], proof: { how: "paper" } });
    const recipients = ["li@far.example", "no@far.example", "any@free.example"].map((text) => recipientOf(text));
    const report = await run({ session: asShop, recipients, mail: contentOf(ad("Sale")) });
    expect(heardOf(report)).toEqual(["RCPT 250 2.0.0", "RCPT 550 5.7.1", "RCPT 250 2.0.0", "DATA 550 5.7.1"]);
    expect(report.outcomes.map(({ accepted, decision }) => [accepted, decision.kind])).toEqual([
      [false, "reject"],
      [false, "reject"],
      [false, "accept"],
    ]);
    const json = reportJson(report, about);
    expect(json.recipients.map(({ rule }) => rule)).toEqual([
      "advertising/subject-label",
      "consent/recorded-consent",
      undefined,
    ]);
    expect(reportLines(report, about)).toContain(
      "  any@free.example: accept, but the mail is not taken as it is: see the reply to DATA",
    );
  });

  it("hears what the door itself refuses: a defect of the text, a size, too many recipients", async () => {
    const { run } = house("limits: { recipientsMax: 1 }\n");
    const defect = { reply: "bare-newline" } as const;
    expect(heardOf(await run({ mail: defect }))).toEqual(["RCPT 250 2.0.0", "DATA 550 5.5.2"]);
    expect(heardOf(await run({ sender: senderOf("a@shop.example", { sizeBytes: 1e9 }) }))).toEqual(["MAIL 552 5.3.4"]);
    const two = [recipientOf("li@local.example"), recipientOf("an@local.example")];
    expect(heardOf(await run({ recipients: two }))).toEqual(["RCPT 250 2.0.0", "RCPT 452 4.5.3", "DATA 250 2.0.0"]);
  });

  it("passes a rule that is only watched, and says what it would have said", async () => {
    const report = await house("rules: { relay/anonymous: watch }\n").run({
      recipients: [recipientOf("x@far.example")],
    });
    expect(report.outcomes[0]?.accepted).toBe(true);
    const lines = reportLines(report, about);
    expect(lines).toContain(
      "  reject (watched) relay/anonymous: relaying denied: you are no client of this relay | Order 38 (CN 2006) art. 7 (C2) | domain far.example",
    );
  });

  it("is told in words: finding, article, confidence, verdict, reply, what would do", async () => {
    const report = await house().run({ recipients: [recipientOf("x@far.example")] });
    const lines = reportLines(report, { ...about, session: asStranger, mendedLines: 3 });
    expect(lines[0]).toBe("from <a@shop.example> by 192.0.2.7, a stranger, at the smtp door, helo mail.shop.example");
    expect(lines[1]).toBe("note: 3 lines end in LF alone and are read as if in CRLF; sent like that, they are refused");
    expect(lines).toContain("  x@far.example: reject by relay/anonymous, Order 38 (CN 2006) art. 7 (C2)");
    expect(lines.slice(-2)).toEqual(["would be accepted", "  mail for its own domains, or log in first"]);
    expect(lines.find((line) => line.startsWith("  RCPT TO:"))).toMatch(
      /^ {2}RCPT TO:<x@far\.example>: 550 5\.7\.1 relaying denied: .* Order 38 \(CN 2006\) art\. 7 - id \w+$/,
    );
  });
});
