/** An answer to an advertisement on its way to the advertiser, through the whole service. */
import { describe, expect, it } from "vitest";
import { type RunningService, startService } from "../helpers/service.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";

const ANN = "ann@reader.example";
const SHOP = { id: "shop", kind: "advertiser", domains: ["shop.example"], networks: [], disabled: false } as const;

async function withShop(): Promise<RunningService> {
  const service = await startService({
    localDomains: ["example.com", "shop.example", "firm.example"],
    refusals: { address: "refuse@example.com" },
  });
  const { clients, consents } = service.house;
  await clients.save(SHOP);
  await clients.save({ ...SHOP, id: "firm", kind: "isp-customer", domains: ["firm.example"] });
  await consents.grant({ recipient: ANN, advertiser: "shop", topics: [], proof: { how: "paper" } });
  return service;
}

interface Answer {
  readonly to?: string;
  readonly envelope?: string;
  readonly from?: string;
  readonly subject?: string;
  readonly headers?: string;
  readonly body?: string;
}

async function answer(service: RunningService, mail: Answer): Promise<string> {
  const { to = "news@shop.example", envelope = ANN, from = ANN, subject = "Re: AD sale" } = mail;
  const { headers = "In-Reply-To: <1@shop.example>\r\n", body = "unsubscribe" } = mail;
  const smtp = await openSmtp(service.smtp);
  await smtp.say("EHLO mx.reader.example");
  await smtp.say(`MAIL FROM:<${envelope}>`);
  await smtp.say(`RCPT TO:<${to}>`);
  await smtp.say("DATA");
  const date = new Date().toUTCString().replace("GMT", "+0000");
  const type = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
  const said = await smtp.say(
    `From: ${from}\r\nDate: ${date}\r\nSubject: ${subject}\r\n${type}${headers}\r\n${Buffer.from(body).toString("latin1")}\r\n.`,
  );
  await smtp.say("QUIT");
  return said;
}

const withdrawn = async (service: RunningService, advertiser = "shop"): Promise<boolean> => {
  const [standing] = await service.house.consents.standing(advertiser, [ANN]);
  return standing?.withdrawnAtMs !== undefined;
};

describe("an answer with words of refusal", () => {
  it("is a refusal, is confirmed once, and goes on to the advertiser", async () => {
    const service = await withShop();
    expect(await answer(service, {})).toMatch(/^250/);
    expect(await withdrawn(service)).toBe(true);
    expect(service.mailsTo("news@shop.example")).toHaveLength(1);
    await answer(service, { body: "Please stop sending me emails.\r\n\r\n> buy now" });
    expect(service.mailsTo("news@shop.example")).toHaveLength(2);
    const entries = (await service.entries()).filter(({ event }) => event === "consent-withdrawn");
    expect(entries.map(({ recipient, evidence }) => [recipient, evidence?.how, evidence?.again])).toEqual([
      [ANN, "reply", undefined],
      [ANN, "reply", true],
    ]);
    await service.entriesSoon(1, { event: "notice-sent" } as never);
    expect(service.mailsTo(ANN)).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    ["in the Subject, with nothing below", { subject: "Re: unsubscribe", body: "" }],
    ["to another address of the advertiser", { to: "boss@shop.example" }],
    ["known as an answer by its Subject only", { headers: "" }],
  ])("counts %s", async (_, mail) => {
    const service = await withShop();
    await answer(service, mail);
    expect(await withdrawn(service)).toBe(true);
  });

  it.each<[string, Answer]>([
    ["that an absence notice quotes", { headers: "In-Reply-To: <1@x>\r\nAuto-Submitted: auto-replied\r\n" }],
    ["of a mailing list", { headers: "In-Reply-To: <1@x>\r\nList-Id: <l.example>\r\n" }],
    ["that are quoted", { body: "nice!\r\n\r\n> unsubscribe" }],
    ["that are doubtful", { body: "don't stop sending" }],
    ["of somebody who is not the sender", { envelope: "bob@reader.example" }],
    ["of two authors", { from: `${ANN}, bob@reader.example` }],
    ["in no answer", { headers: "", subject: "hello" }],
    ["to somebody else", { to: "li@example.com" }],
  ])("does not count those %s; the mail goes on", async (_, mail) => {
    const service = await withShop();
    expect(await answer(service, mail)).toMatch(/^250/);
    expect(await withdrawn(service)).toBe(false);
    expect(service.mailsTo(mail.to ?? "news@shop.example")).toHaveLength(1);
  });

  it("to a client whose business is not advertising counts where a yes was recorded, and else not", async () => {
    const service = await withShop();
    await answer(service, { to: "amy@firm.example" });
    expect(await withdrawn(service, "firm")).toBe(false);
    await service.house.consents.grant({ recipient: ANN, advertiser: "firm", topics: [], proof: { how: "paper" } });
    await answer(service, { to: "amy@firm.example" });
    expect(await withdrawn(service, "firm")).toBe(true);
  });
});
