import { describe, expect, it } from "vitest";
import type { Client } from "../../src/mail/client.ts";
import { clientOf } from "../helpers/described.ts";
import { type RunningService, startService } from "../helpers/service.ts";
import { openTalk, type SmtpTalk } from "../helpers/smtp-talk.ts";

/** Customers as they meet the real door: what stands in their record is enforced with their next mail. */
const IP = "203.0.113.9";
const DAY_MS = 86_400_000;

async function serviceFor(client: Partial<Client>): Promise<{ service: RunningService; talk: SmtpTalk }> {
  const service = await startService();
  await service.house.clients.save(clientOf({ networks: [IP], ...client }));
  const talk = await openTalk(service.smtp);
  await talk.sayAll("EHLO proxy.example.net", `XCLIENT ADDR=${IP}`, "EHLO mx.shop.example");
  return { service, talk };
}

async function send(talk: SmtpTalk, ...to: readonly string[]) {
  const from = await talk.say("MAIL FROM:<a@shop.example>");
  if (from.code !== 250) return from;
  for (const each of to) await talk.say(`RCPT TO:<${each}>`);
  await talk.say("DATA");
  const date = new Date().toUTCString().replace("GMT", "+0000");
  return talk.data(`From: a@shop.example\nDate: ${date}\nSubject: minutes\n\nhello\n`);
}

describe("a customer", () => {
  it("is suspended and comes back, and the refusal says why and until when", async () => {
    const untilMs = Date.UTC(2099, 0, 1);
    const suspended = { reason: "complaints of 2026-11-20", fromMs: 1, untilMs, by: "ann" };
    const { service, talk } = await serviceFor({ suspended });
    const refused = await send(talk, "ann@example.com");
    expect(refused.text).toMatch(/^550-5\.7\.1 you are suspended/);
    expect(refused.text).toContain("from 2099-01-01T00:00Z. The reason: complaints of 2026-11-20");
    expect(refused.text).toContain("Order 38 (CN 2006) art. 16(3)");
    await service.house.clients.suspend("shop", undefined);
    const again = await openTalk(service.smtp);
    await again.sayAll("EHLO proxy.example.net", `XCLIENT ADDR=${IP}`, "EHLO mx.shop.example");
    expect((await send(again, "ann@example.com")).code).toBe(250);
    const [entry] = await service.entries({ event: "refused" });
    expect(entry).toMatchObject({ client: "shop", rules: ["relay/suspended"], evidence: { by: "ann" } });
  });

  it("without a permit is not relayed, where its law asks for one", async () => {
    const { talk } = await serviceFor({ kind: "email-provider" });
    const refused = await send(talk, "ann@example.com");
    expect(refused.text).toMatch(/permit or filing number/);
    expect(refused.text).toContain("no number is recorded for you");
    expect(refused.text).toContain("Order 38 (CN 2006) art. 5");
  });

  it("sends from its registered addresses and no others, and not too early", async () => {
    const registeredOn = new Date(Date.now() - 5 * DAY_MS).toISOString().slice(0, 10);
    const mine = { network: IP, use: "source", authority: "MIIT", registeredOn } as const;
    const early = await serviceFor({ addresses: [mine] });
    const from = new Date(Date.parse(registeredOn) + 20 * DAY_MS).toISOString().slice(0, 10);
    expect((await send(early.talk, "ann@example.com")).text).toContain(`may be used from ${from}`);
    const other = { ...mine, network: "203.0.113.10", registeredOn: "2026-01-01" };
    const elsewhere = await serviceFor({ addresses: [other] });
    expect((await send(elsewhere.talk, "ann@example.com")).text).toContain("yours is none of them");
    const right = await serviceFor({ addresses: [{ ...mine, registeredOn: "2026-01-01" }] });
    expect((await send(right.talk, "ann@example.com")).code).toBe(250);
  });

  it("keeps to its campaign, and a mail that is not accepted takes nothing of it", async () => {
    const campaign = {
      name: "winter",
      senders: ["a@shop.example"],
      helo: ["mx.shop.example"],
      networks: [],
      recipientsMax: 3,
      fromMs: Date.now() - 1000,
      untilMs: Date.now() + DAY_MS,
    };
    const { service, talk } = await serviceFor({ campaigns: [campaign] });
    expect((await send(talk, "a@example.com", "b@example.com")).code).toBe(250);
    const over = await send(talk, "a@example.com", "b@example.com");
    expect(over.text).toMatch(/^550-5\.7\.1 more recipients than you declared/);
    expect((await send(talk, "a@example.com")).code).toBe(250);
    expect((await send(talk, "a@example.com")).text).toContain("winter: 3");
    const other = await openTalk(service.smtp);
    await other.sayAll("EHLO proxy.example.net", `XCLIENT ADDR=${IP}`, "EHLO pc.shop.example");
    expect((await send(other, "a@example.com")).text).toContain("HELO mx.shop.example");
  });
});
