import { describe, expect, it } from "vitest";
import { mailDate } from "../../src/mail/received.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";

const HOUR_MS = 3_600_000;
const WHO = "ann@example.com";
type Consent = Parameters<Awaited<ReturnType<typeof startService>>["house"]["consents"]["grant"]>[0];

/** The service with its clock in our hands, and an advertiser who has Ann's yes. */
async function shopWith(agreed: Partial<Consent>, startMs = Date.now()) {
  const clock = handClock(startMs);
  const service = await startService({}, clock);
  const { clients, consents } = service.house;
  const shop = {
    id: "shop",
    kind: "advertiser",
    networks: ["127.0.0.1"],
    domains: ["shop.example"],
    disabled: false,
  } as const;
  await clients.save(shop);
  await consents.grant({ recipient: WHO, advertiser: "shop", topics: [], proof: { how: "paper" }, ...agreed });
  const send = async (subject: string): Promise<string> => {
    const talk = await openTalk(service.smtp);
    await talk.sayAll("EHLO pc.shop.example", "MAIL FROM:<a@shop.example>");
    const asked = await talk.say(`RCPT TO:<${WHO}>`);
    if (asked.code !== 250) return asked.text;
    await talk.say("DATA");
    const lines = ["From: a@shop.example", `Date: ${mailDate(clock.now())}`, `Subject: ${subject}`, "", "x", ""];
    return (await talk.data(Buffer.from(lines.join("\r\n")))).text;
  };
  return { clock, service, send };
}

describe("what a recipient agreed to, with the clock turned by hand", () => {
  it("an advertisement waits for the hours agreed to", async () => {
    const start = new Date();
    start.setUTCHours(20, 0, 0, 0);
    const { clock, send } = await shopWith({ hours: "09:00-18:00 Asia/Ho_Chi_Minh" }, start.getTime());
    expect(await send("AD at three in the morning")).toMatch(/^450.*hours agreed to: 09:00-18:00 Asia\/Ho_Chi_Minh/s);
    await clock.pass(6 * HOUR_MS);
    expect(await send("AD at nine")).toMatch(/^250/);
    await clock.pass(9 * HOUR_MS);
    expect(await send("AD at six in the evening")).toMatch(/^450/);
  });

  it("a number is free again when its period is over, and what was refused never counted", async () => {
    const { clock, service, send } = await shopWith({ limit: { max: 2, windowMs: 24 * HOUR_MS } });
    expect(await send("no label")).toMatch(/^550/);
    expect(await send("no label again")).toMatch(/^550/);
    expect(await send("AD one")).toMatch(/^250/);
    await clock.pass(HOUR_MS);
    expect(await send("AD two")).toMatch(/^250/);
    expect(await send("AD three")).toMatch(/^550.*so many advertisements/s);
    await clock.pass(23 * HOUR_MS + HOUR_MS / 10);
    expect(await send("AD four")).toMatch(/^250/);
    expect(await send("AD five")).toMatch(/^550/);
    expect(service.mailsTo(WHO)).toHaveLength(3);
  });

  it("of fifty sent at once no more get through than were agreed to", async () => {
    const { service, send } = await shopWith({ limit: { max: 3, windowMs: 24 * HOUR_MS } });
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => send(`AD no. ${index}`)));
    expect(answers.filter((answer) => answer.startsWith("250"))).toHaveLength(3);
    expect(service.mailsTo(WHO)).toHaveLength(3);
  });
});
