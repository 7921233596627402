import { describe, expect, it } from "vitest";
import { createQuotas } from "../../src/signals/quotas.ts";
import { clientOf } from "../helpers/described.ts";
import { type Overrides, type RunningService, startService } from "../helpers/service.ts";
import { openTalk, type SmtpTalk } from "../helpers/smtp-talk.ts";
import { until } from "../helpers/wait.ts";

/** Harvesting, stolen logins and limits as they look from outside: the real door, a Maildir in which few addresses exist. */
const EXISTING = ["ann@example.com", "ben@example.com"];
const HARVEST = { unknownMin: 4, similarMin: 100, delayMs: 20, delayMaxMs: 40, traps: ["trap@example.com"] };
const TEXT = "From: a@shop.example\nDate: Sun, 22 Nov 2026 08:00:00 +0000\nSubject: x\n\nhello\n";

const serviceWith = (rules: Overrides = {}, more: Overrides = {}): Promise<RunningService> =>
  startService({
    rules: { "conduct/harvesting": HARVEST, "envelope/header-shape": "off", ...rules },
    ...more,
    nextHop: { mailboxes: EXISTING },
  });

async function strangerAt({ smtp }: RunningService, ip: string): Promise<SmtpTalk> {
  const talk = await openTalk(smtp);
  await talk.sayAll("EHLO proxy.example.net", `XCLIENT ADDR=${ip}`, "EHLO mx.sender.example");
  return talk;
}

const password = "sesame";
async function loginAt(service: RunningService, ip: string): Promise<SmtpTalk> {
  const talk = await strangerAt(service, ip);
  const reply = await talk.say(`AUTH PLAIN ${Buffer.from(`\0shop\0${password}`).toString("base64")}`);
  expect(reply.code).toBe(235);
  return talk;
}

async function send(talk: SmtpTalk, to = "ann@example.com") {
  const from = await talk.say("MAIL FROM:<a@shop.example>");
  if (from.code !== 250) return from;
  const rcpt = await talk.say(`RCPT TO:<${to}>`);
  if (rcpt.code !== 250) return rcpt;
  await talk.say("DATA");
  return talk.data(TEXT);
}

const names = [
  "quartz",
  "omega",
  "delta-x",
  "li.wei",
  "nguyen",
  "x.ray",
  "vega",
  "orion",
  "zulu",
  "tango",
  "kilo",
  "yak",
];

describe("a harvester", () => {
  it("is slowed down, turned away and shut out with an end time, and mailboxes that exist are answered alike", async () => {
    const service = await serviceWith();
    const talk = await strangerAt(service, "203.0.113.9");
    await talk.say("MAIL FROM:<>");
    const codes: number[] = [];
    for (const name of names.slice(0, 8)) codes.push((await talk.say(`RCPT TO:<${name}@example.com>`)).code);
    expect(codes).toEqual(Array(8).fill(550));
    const away = await talk.say("RCPT TO:<ann@example.com>");
    expect(away, "a mailbox that exists").toMatchObject({ code: 421, enhanced: "4.7.0" });
    await talk.closed;
    let shut = "";
    for (const [i, to] of ["ann", "nobody", "ben", "tango"].entries()) {
      const again = await strangerAt(service, "203.0.113.9");
      const from = await again.say("MAIL FROM:<>");
      if (from.code === 554) {
        shut = from.text;
        break;
      }
      expect((await again.say(`RCPT TO:<${to}@example.com>`)).code, `round ${i}`).toBe(421);
    }
    expect(shut).toMatch(/\d{4}-\d\d-\d\dT[\d:]{8}Z\n.*Order 38 \(CN 2006\) art\. 12\(2\)/);
    const [added] = await service.entriesSoon(1, {}).then((all) => all.filter(({ event }) => event === "block-added"));
    expect(added).toMatchObject({
      actor: "consentry",
      clientIp: "203.0.113.9",
      articles: ["Order 38 (CN 2006) art. 12(2)"],
      evidence: { subject: "203.0.113.9/32", reason: "harvesting", action: "refuse" },
    });
    const other = await strangerAt(service, "198.51.100.1");
    expect((await send(other)).code, "others go on").toBe(250);
  });

  it("who writes to a trap is shut out, and hears of the trap what he hears of every address", async () => {
    const service = await serviceWith();
    const talk = await strangerAt(service, "203.0.113.10");
    await talk.say("MAIL FROM:<>");
    const trap = await talk.say("RCPT TO:<trap@example.com>");
    expect(trap.text).toBe(
      (
        await await strangerAt(service, "198.51.100.2").then(async (clean) => {
          await clean.say("MAIL FROM:<>");
          return clean.say("RCPT TO:<nobody@example.com>");
        })
      ).text,
    );
    expect(await talk.say("RCPT TO:<ann@example.com>"), "in the same mail").toMatchObject({ code: 554 });
    await talk.say("RSET");
    expect(await talk.say("MAIL FROM:<>")).toMatchObject({ code: 554, enhanced: "5.7.1" });
  });

  it("hears nothing else where the rule is only watched", async () => {
    const service = await serviceWith({ "conduct/harvesting": { ...HARVEST, mode: "watch" } });
    const talk = await strangerAt(service, "203.0.113.9");
    await talk.say("MAIL FROM:<>");
    for (const name of names) expect((await talk.say(`RCPT TO:<${name}@example.com>`)).code).toBe(550);
    expect((await talk.say("RCPT TO:<ann@example.com>")).code).toBe(250);
    expect((await service.entries()).some(({ event }) => event === "block-added")).toBe(false);
  });
});

describe("a client with a limit", () => {
  const limited = clientOf({ ratePerMinute: 3 });

  it("hears the limit when it is used up, and mails that were not accepted do not count", async () => {
    const service = await serviceWith();
    await service.house.clients.save(limited, password);
    const talk = await loginAt(service, "198.51.100.7");
    expect((await send(talk)).code).toBe(250);
    expect((await send(talk, "nobody@example.com")).code, "refused at RCPT").toBe(550);
    await talk.say("RSET");
    expect((await talk.say("MAIL FROM:<boss@elsewhere.example>")).code, "refused at MAIL").toBe(550);
    await talk.say("MAIL FROM:<a@shop.example>");
    await talk.say("RSET");
    const gone = await loginAt(service, "198.51.100.7");
    await gone.say("MAIL FROM:<a@shop.example>");
    gone.vanish();
    await gone.closed;
    const quotas = createQuotas(service.house.store.windows, () => undefined);
    const usage = async () => (await quotas.usage(limited))[0]?.taken;
    await until("it is given back", async () => (await usage()) === 1);
    expect((await send(talk)).code).toBe(250);
    expect((await send(talk)).code).toBe(250);
    const full = await talk.say("MAIL FROM:<a@shop.example>");
    expect(full).toMatchObject({ code: 451, enhanced: "4.7.1" });
    expect(full.text).toMatch(/3 mails a minute; again from \d{4}-/);
    expect(await usage()).toBe(3);
  });
});

describe("a login in other hands", () => {
  it("is held: its mail waits at its sender, and the ledger names it", async () => {
    const service = await serviceWith({ "conduct/hijacked-login": { networksMax: 2 } });
    await service.house.clients.save(clientOf(), password);
    expect((await send(await loginAt(service, "198.51.100.7"))).code).toBe(250);
    expect((await send(await loginAt(service, "198.51.101.7"))).code).toBe(250);
    const held = await send(await loginAt(service, "198.51.102.7"));
    expect(held).toMatchObject({ code: 451, enhanced: "4.7.1" });
    expect(held.text).toContain("on hold");
    const entries = await service.entries();
    expect(entries.find(({ event }) => event === "block-added")).toMatchObject({
      client: "shop",
      articles: ["Order 38 (CN 2006) art. 12(1)"],
      evidence: { reason: "hijacked-login", networks: 3, why: "networks" },
    });
    expect(entries.findLast(({ event }) => event === "deferred")?.rules).toContain("conduct/hijacked-login");
    expect((await send(await loginAt(service, "198.51.100.7"))).code, "from its own network too").toBe(451);
    expect(service.mails()).toHaveLength(2);
  });
});
