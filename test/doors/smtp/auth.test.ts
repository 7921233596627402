import type { SMTPServerSession } from "smtp-server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createIntake } from "../../../src/doors/intake.ts";
import { Visit } from "../../../src/doors/smtp/visit.ts";
import { Unavailable } from "../../../src/kit/trouble.ts";
import { clientOf } from "../../helpers/described.ts";
import { EHLO } from "../../helpers/letters-now.ts";
import { type RunningService, sharedService, startService } from "../../helpers/service.ts";
import { openTalk } from "../../helpers/smtp-talk.ts";

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");
const plain = (login: string, password: string): string => `AUTH PLAIN ${base64(`\0${login}\0${password}`)}`;

async function withShop(service: RunningService): Promise<void> {
  await service.house.clients.save(clientOf(), "sesame");
}

describe("a login", () => {
  const service = sharedService();
  const relays = async (talk: Awaited<ReturnType<typeof openTalk>>): Promise<number> =>
    (await talk.sayAll("MAIL FROM:<a@shop.example>", "RCPT TO:<x@other.example>")).code;

  beforeEach(() => withShop(service()));

  it("by PLAIN with the first line, and by PLAIN with a line of its own", async () => {
    const first = await openTalk(service().smtp);
    expect((await first.sayAll(EHLO, plain("shop", "sesame"))).text).toMatch(/^235 2\.7\.0 /);
    expect(await relays(first)).toBe(250);
    const second = await openTalk(service().smtp);
    expect((await second.sayAll(EHLO, "AUTH PLAIN")).code).toBe(334);
    expect((await second.say(base64("\0shop\0sesame"))).code).toBe(235);
    expect(await relays(second)).toBe(250);
  });

  it("by LOGIN, in two lines or with the name at once", async () => {
    const talk = await openTalk(service().smtp);
    expect((await talk.sayAll(EHLO, "AUTH LOGIN", base64("shop"), base64("sesame"))).code).toBe(235);
    expect(await relays(talk)).toBe(250);
    const quick = await openTalk(service().smtp);
    expect((await quick.sayAll(EHLO, `AUTH LOGIN ${base64("shop")}`, base64("sesame"))).code).toBe(235);
  });

  it("shows in the ledger and in the trace, and its name not in the trace", async () => {
    const talk = await openTalk(service().smtp);
    await talk.sayAll(
      EHLO,
      plain("shop", "sesame"),
      "MAIL FROM:<a@shop.example>",
      "RCPT TO:<ledger@other.example>",
      "DATA",
    );
    await talk.data(`From: a@shop.example\nDate: ${new Date().toUTCString()}\n\n`);
    const [entry] = await service().entriesSoon(1, { recipient: "ledger@other.example" });
    expect(entry).toMatchObject({ login: "shop", client: "shop", direction: "out", door: "smtp" });
    const [mail = ""] = service().mailsTo("ledger@other.example");
    expect(mail).toMatch(/with ESMTPA id /);
    expect(mail.slice(0, mail.indexOf("From: a@"))).not.toMatch(/shop[^.]/);
  });

  it.each([
    ["a wrong password", plain("shop", "wrong")],
    ["no such client", plain("ghost", "sesame")],
    ["an empty password", plain("shop", "")],
    ["another's authorisation identity", `AUTH PLAIN ${base64("ceo\0shop\0wrong")}`],
  ])("with %s is refused alike", async (_, line) => {
    const talk = await openTalk(service().smtp);
    expect((await talk.sayAll(EHLO, line)).text).toBe("535 5.7.8 wrong login or password");
    expect(await relays(talk)).toBe(550);
  });

  it.each([
    ["no base64", "AUTH PLAIN ???", 501],
    ["nothing in it", `AUTH PLAIN ${base64("shop")}`, 501],
    ["a mechanism nobody offered", "AUTH CRAM-MD5", 504],
    ["no mechanism", "AUTH", 504],
  ])("with %s is refused, and the session goes on", async (_, line, code) => {
    const talk = await openTalk(service().smtp);
    expect((await talk.sayAll(EHLO, line)).code).toBe(code);
    expect((await talk.say("NOOP")).code).toBe(250);
  });

  it("is given up by a star", async () => {
    const talk = await openTalk(service().smtp);
    expect((await talk.sayAll(EHLO, "AUTH LOGIN", "*")).code).toBe(501);
    expect((await talk.say("NOOP")).code).toBe(250);
  });

  it("that failed three times ends the connection", async () => {
    const talk = await openTalk(service().smtp);
    await talk.say(EHLO);
    const codes = [];
    for (let tries = 0; tries < 3; tries += 1) codes.push((await talk.say(plain("shop", `wrong ${tries}`))).code);
    expect(codes).toEqual([535, 535, 421]);
    expect(await talk.rest()).toBe("");
  });

  it("is not taken twice", async () => {
    const talk = await openTalk(service().smtp);
    expect((await talk.sayAll(EHLO, plain("shop", "sesame"), plain("shop", "sesame"))).code).toBe(503);
  });
});

describe("AUTH without encryption", () => {
  it("is offered where the listener says so", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    expect((await talk.say(EHLO)).text).toContain("AUTH PLAIN LOGIN");
  });

  it("is neither offered nor taken where TLS is required", async () => {
    const service = await startService({ listeners: [{ door: "smtp", listen: "127.0.0.1:0" }] });
    await withShop(service);
    const talk = await openTalk(service.smtp);
    const offered = await talk.say(EHLO);
    expect(offered.text).not.toMatch(/AUTH|STARTTLS/);
    expect((await talk.say(plain("shop", "sesame"))).code).toBe(500);
    expect((await talk.sayAll("MAIL FROM:<a@shop.example>", "RCPT TO:<x@other.example>")).code).toBe(550);
  });
});

describe("the register away", () => {
  it("is no wrong password: the client may try again", async () => {
    const service = await startService();
    const { tables } = service.house.store;
    const { get } = tables;
    Object.assign(tables, { get: () => Promise.reject(new Unavailable("store", "gone")) });
    const talk = await openTalk(service.smtp);
    expect((await talk.sayAll(EHLO, plain("shop", "sesame"))).code).toBe(454);
    Object.assign(tables, { get });
    await withShop(service);
    expect((await talk.say(plain("shop", "sesame"))).code).toBe(235);
  });
});

describe("who a visitor is", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  const smtp = (more: object): SMTPServerSession =>
    ({
      id: "s",
      remoteAddress: "192.0.2.1",
      remotePort: 1,
      localAddress: "127.0.0.1",
      localPort: 25,
      envelope: {},
      ...more,
    }) as never;

  function visitOf(known: { client: ReturnType<typeof clientOf> | undefined }) {
    const clients = {
      byNetwork: async () => known.client,
      byId: async () => known.client,
      authenticate: async () => known.client,
    };
    return new Visit({
      intake: createIntake({} as never),
      clients,
      settings: () => ({ relayNetworks: { has: () => false } }),
      role: "mx",
    });
  }

  it.each([
    ["by its network", {}],
    ["by its login", { user: "shop" }],
  ])("is looked up again after ten seconds: a client disabled meanwhile is one no longer, %s", async (_, session) => {
    const known: Parameters<typeof visitOf>[0] = { client: clientOf() };
    const visit = visitOf(known);
    expect((await visit.reach(smtp(session))).session.client?.id).toBe("shop");
    known.client = undefined;
    expect((await visit.reach(smtp(session))).session.client?.id, "still believed").toBe("shop");
    vi.advanceTimersByTime(10_000);
    expect((await visit.reach(smtp(session))).session).not.toHaveProperty("client");
  });

  it("is nobody any more once another address or login came in", async () => {
    const known: Parameters<typeof visitOf>[0] = { client: clientOf() };
    const visit = visitOf(known);
    await visit.reach(smtp({ user: "shop" }));
    known.client = undefined;
    const { session } = await visit.reach(smtp({ remoteAddress: "203.0.113.9" }));
    expect(session).not.toHaveProperty("client");
    expect(session).not.toHaveProperty("login");
  });
});
