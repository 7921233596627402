/** Mail through the doors of a service that queues, with the clock turned by hand. */
import { describe, expect, it, onTestFinished } from "vitest";
import { mailDate } from "../../../src/mail/received.ts";
import { openSpoolDesk } from "../../../src/stores/spool/desk.ts";
import { type HandClock, handClock } from "../../helpers/hand-clock.ts";
import { type ScriptOptions, startScripted } from "../../helpers/scripted-server.ts";
import { type Overrides, type RunningService, startService } from "../../helpers/service.ts";
import { openSmtp } from "../../helpers/smtp-dialogue.ts";
import { until } from "../../helpers/wait.ts";

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 22, 10);
const QUEUE = {
  processes: 0,
  retrySeconds: [600],
  destinationRetrySeconds: [60],
  jitter: 0,
  reserveMb: 1,
  holdDays: 7,
};

interface Relay {
  readonly service: RunningService;
  readonly clock: HandClock;
  /** The last reply to a mail. */
  send(mail?: { from?: string; to?: readonly string[]; subject?: string }): Promise<string>;
  events(): Promise<string[]>;
}

async function relay(to: string | undefined, more: Overrides = {}): Promise<Relay> {
  const clock = handClock(START_MS);
  const nextHop = { mode: "queue", ...(to !== undefined && { to }) };
  const service = await startService({ nextHop, queue: QUEUE, ...more }, clock);
  await service.house.clients.save({
    id: "shop",
    kind: "isp-customer",
    networks: ["127.0.0.1"],
    domains: ["shop.example"],
    disabled: false,
  });
  return {
    service,
    clock,
    async send({ from = "a@shop.example", to: recipients = ["b@example.com"], subject = "hello" } = {}) {
      const client = await openSmtp(service.smtp);
      await client.say("EHLO pc.shop.example");
      const head = `From: ${from}\r\nTo: b@example.com\r\nDate: ${mailDate(clock.now())}\r\nSubject: ${subject}`;
      const heard = await client.mail({ from, to: recipients, content: `${head}\r\n\r\nbody` });
      client.end();
      return heard.at(-1) ?? "";
    },
    events: async () => (await service.entries()).map(({ event }) => event),
  };
}

async function server(options: ScriptOptions = {}) {
  const started = await startScripted(options);
  onTestFinished(() => started.stop());
  return { ...started, url: `smtp://127.0.0.1:${started.port}`, mails: started.mails };
}

describe("a service that queues", () => {
  it("answers at once and delivers afterwards", async () => {
    const { service, send } = await relay(undefined);
    expect(await send()).toMatch(/^250 2\.0\.0 queued - id \w{23}$/);
    await until("it is delivered", () => service.mailsTo("b@example.com").length === 1);
    expect(service.mailsTo("b@example.com")[0]).toMatch(/^Received: from pc\.shop\.example[\s\S]*\n\r\nbody/m);
    const entries = await service.entriesSoon(2);
    expect(entries.map(({ event }) => event)).toEqual(["received", "handed-over"]);
    expect(entries[1]).toMatchObject({ client: "shop", sender: "a@shop.example", recipient: "b@example.com" });
  });

  it("tries again after the time the schedule gives, and says so in the ledger", async () => {
    const hop = await server({ answers: { RCPT: ["450 4.2.0 busy"] } });
    const { clock, send, service, events } = await relay(hop.url);
    await send();
    await service.entriesSoon(2);
    expect(await events()).toEqual(["received", "delayed"]);
    await clock.pass(599 * SECOND_MS);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(hop.mails.length).toBe(0);
    await clock.pass(1 * SECOND_MS);
    await until("it is delivered", () => hop.mails.length === 1);
    await service.entriesSoon(3);
    expect(await events()).toEqual(["received", "delayed", "handed-over"]);
  });

  it("leaves a next hop that does not answer alone, for all mails, and takes it up again", async () => {
    const hop = await server();
    const { port } = hop;
    await hop.stop();
    const { clock, send, service, events } = await relay(`smtp://127.0.0.1:${port}`);
    await send();
    await service.entriesSoon(2);
    expect(await send()).toMatch(/^250/);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await events()).toEqual(["received", "delayed", "received"]);
    await clock.pass(60 * SECOND_MS);
    await service.entriesSoon(4);
    expect(await events()).toEqual(["received", "delayed", "received", "delayed"]);
  });

  it("waits, with all mail for it, where the next hop blocks our address, and tells the operator", async () => {
    const blocked = "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org";
    const hop = await server({ answers: { RCPT: [blocked] } });
    const { clock, send, service, events } = await relay(hop.url);
    await send();
    await service.entriesSoon(2);
    expect(await send()).toMatch(/^250/);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await events()).toEqual(["received", "delayed", "received"]);
    const { values } = await service.house.meter.snapshot();
    expect(values.consentry_blocks_total).toEqual([{ labels: [], value: 1 }]);
    await clock.pass(60 * SECOND_MS);
    await until("the other is delivered", () => hop.mails.length === 1);
    await clock.pass(540 * SECOND_MS);
    await until("both are delivered", () => hop.mails.length === 2);
    expect((await events()).filter((event) => event === "bounced" || event === "reported")).toEqual([]);
  });

  it("ends a mail that is refused for good, with an entry", async () => {
    const hop = await server({ answers: { RCPT: "550 5.1.1 nobody" } });
    const { send, service } = await relay(hop.url);
    await send();
    const [, bounced] = await service.entriesSoon(2);
    expect(bounced).toMatchObject({ event: "bounced", verdict: "reject", reply: expect.stringContaining("nobody") });
    await isEmpty(service);
  });

  it("gives up a mail at the end of its life, and tells its sender", async () => {
    const hop = await server({ answers: { MAIL: ["451 4.3.0 later"] } });
    const { clock, send, service } = await relay(hop.url);
    await send();
    await service.entriesSoon(2);
    await clock.pass(5 * DAY_MS + 1_000);
    await service.entriesSoon(1, { event: "expired" });
    await service.entriesSoon(1, { event: "reported" });
    await isEmpty(service);
    expect(hop.mails).toMatchObject([{ from: "MAIL FROM:<>", recipients: ["RCPT TO:<a@shop.example>"] }]);
    expect(String(hop.mails[0]?.body)).toMatch(
      /Final-Recipient: rfc822; b@example\.com\r\nAction: failed\r\nStatus: 4\.4\.7/,
    );
  });

  it("settles each recipient apart", async () => {
    const hop = await server({ answers: { RCPT: [undefined, "450 4.2.0 busy", "550 5.1.1 nobody"] } });
    const { send, service, clock } = await relay(hop.url);
    await send({ to: ["b@example.com", "c@example.com", "d@example.com"] });
    const entries = (await service.entriesSoon(7)).filter(({ event }) => event !== "reported");
    const ends = entries.slice(3, 6).map(({ event, recipient }) => `${event} ${recipient}`);
    expect(ends).toEqual(["handed-over b@example.com", "delayed c@example.com", "bounced d@example.com"]);
    await clock.pass(600 * SECOND_MS);
    await until("it is delivered to the second", () => hop.mails.length === 3);
    expect(hop.mails.map(({ recipients }) => recipients)).toEqual([
      ["RCPT TO:<b@example.com>"],
      ["RCPT TO:<a@shop.example>"],
      ["RCPT TO:<c@example.com>"],
    ]);
    await isEmpty(service);
  });

  it("keeps over a restart what waits", async () => {
    const hop = await server({ answers: { RCPT: ["450 4.2.0 busy"] } });
    const { send, service, clock } = await relay(hop.url);
    await send();
    await service.entriesSoon(2);
    await service.close();
    await clock.pass(600 * SECOND_MS);
    const { openHouse } = await import("../../../src/main.ts");
    const { buildHouse } = await import("../../../src/house.ts");
    const { loadConfig } = await import("../../../src/config/load.ts");
    const house = await buildHouse(loadConfig(`${service.dir}/consentry.yaml`, {}), service.house.log, { clock });
    const again = await openHouse(house);
    await until("it is delivered", () => hop.mails.length === 1);
    await again.close();
  });
});

const HOLDS = {
  rules: { "content/prohibited": { patterns: [{ name: "a word", pattern: "forbidden" }] } },
};

describe("a mail that a rule holds", () => {
  it("is kept, with who says so, and not delivered until it is released", async () => {
    const { send, service, clock } = await relay(undefined, HOLDS);
    expect(await send({ subject: "forbidden" })).toMatch(/^250 2\.0\.0 queued/);
    const [held] = await service.entriesSoon(1);
    expect(held).toMatchObject({ event: "held", rules: expect.arrayContaining(["content/prohibited"]) });
    const desk = openSpoolDesk(`${service.dir}/data/spool`, 5_000);
    const found = await until("it is held", async () => {
      const listed = await desk.find(held?.mailId ?? "");
      return listed?.state === "held" ? listed : undefined;
    });
    expect(found.mail.hold).toMatchObject({
      rule: "content/prohibited",
      source: "Order 38 (CN 2006) art. 11",
      until: START_MS + 7 * DAY_MS,
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(service.mails()).toEqual([]);
    await desk.release(found.mail.id, clock.now());
    await until("it is delivered", () => service.mailsTo("b@example.com").length === 1);
    await desk.close();
  });

  it("is deleted at the end of its hold, and the ledger says so", async () => {
    const { send, service, clock } = await relay(undefined, HOLDS);
    await send({ subject: "forbidden" });
    await service.entriesSoon(1);
    await clock.pass(7 * DAY_MS + 1_000);
    const [expired] = await service.entriesSoon(1, { event: "expired" });
    expect(expired).toMatchObject({ rules: ["content/prohibited"], evidence: { hold: true } });
    await isEmpty(service);
    expect(service.mails()).toEqual([]);
  });
});

describe("a disk without room", () => {
  it("is said at MAIL, before anything is sent", async () => {
    const { service, send } = await relay(undefined, { queue: { ...QUEUE, reserveMb: 1_048_576 } });
    expect(await send()).toMatch(/^452[ -]4\.3\.1/);
    const [entry] = await service.entries();
    expect(entry).toMatchObject({ event: "deferred", sender: "a@shop.example" });
    expect(entry?.recipient).toBeUndefined();
  });
});

/** Nothing is left in the queue. */
async function isEmpty(service: RunningService): Promise<void> {
  const desk = openSpoolDesk(`${service.dir}/data/spool`, 5_000);
  await until("the queue is empty", async () => {
    for await (const _ of desk.list({})) return false;
    return true;
  });
  await desk.close();
}
