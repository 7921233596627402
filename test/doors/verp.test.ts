/** Return addresses of clients' mail, written in the queue and led back through the real door. */
import { describe, expect, it, onTestFinished } from "vitest";
import { startScripted } from "../helpers/scripted-server.ts";
import { type Overrides, startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { until } from "../helpers/wait.ts";

const SHOP = "198.51.100.7";
const WORLD = "203.0.113.9";
const ANN = "ann@far.example";
const BEN = "ben@far.example";

async function relay(verp = "all", client: Overrides = {}) {
  const hop = await startScripted();
  onTestFinished(() => hop.stop());
  const service = await startService({
    hostname: "relay.example.com",
    localDomains: ["example.com", "relay.example.com"],
    envelopeRewriting: { verp },
    packs: { default: ["vn-2008"] },
    rules: { "advertising/detect": "off", "conduct/harvesting": "off" },
    nextHop: { to: `smtp://127.0.0.1:${hop.port}`, mode: "queue" },
    queue: { processes: 0, reserveMb: 1 },
  });
  const shop = { id: "shop", kind: "advertiser", networks: [SHOP], domains: ["shop.example"], disabled: false };
  await service.house.clients.save({ ...shop, ...client } as never);
  for (const recipient of [ANN, BEN]) {
    await service.house.consents.grant({ advertiser: "shop", recipient, topics: [], proof: { how: "test" } });
  }
  const send = async (ip: string, from: string, to: readonly string[], text: string): Promise<string> => {
    const talk = await openTalk(service.smtp);
    await talk.sayAll("EHLO proxy.example.net", `XCLIENT ADDR=${ip}`, "EHLO mx.host.example");
    for (const line of [`MAIL FROM:<${from}>`, ...to.map((each) => `RCPT TO:<${each}>`), "DATA"]) {
      const said = await talk.say(line);
      if (said.code > 399) return said.text;
    }
    const date = new Date().toUTCString().replace("GMT", "+0000");
    const reply = await talk.data(`Date: ${date}\n${text}`);
    talk.vanish();
    return reply.text;
  };
  return {
    hop,
    service,
    send,
    advertise: (...to: string[]) =>
      send(SHOP, "news@shop.example", to, "From: news@shop.example\nSubject: [QC] sale\n\nbuy\n"),
    bounce: (to: string, fields: string) =>
      send(
        WORLD,
        "",
        [to],
        `From: MAILER-DAEMON@far.example\nSubject: failed\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n\nfailed\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; far.example\n\n${fields}\n--b--\n`,
      ),
    /** Envelope senders by recipient. */
    senders: () =>
      new Map(
        hop.mails.map(({ from, recipients }) => [
          recipients.map((each) => /<([^>]*)>/.exec(each)?.[1]).join(" "),
          /<([^>]*)>/.exec(from)?.[1] ?? "",
        ]),
      ),
    bounces: async (who: string) => (await service.house.consents.find("shop", [who]))[0]?.bounces?.count ?? 0,
  };
}

const GONE = "Final-Recipient: rfc822; ann@far.example\nAction: failed\nStatus: 5.1.1\n";

describe("mail of a client with return addresses", () => {
  it("goes to each recipient alone, from an address that tells whose copy it is", async () => {
    const { hop, advertise, senders } = await relay();
    expect(await advertise(ANN, BEN)).toMatch(/^250/);
    await until("both have it", () => hop.mails.length === 2);
    expect(senders().get(ANN)).toMatch(/^bounce\+[a-z2-7]{20}=ann=far\.example@relay\.example\.com$/);
    expect(senders().get(BEN)).toMatch(/^bounce\+[a-z2-7]{20}=ben=far\.example@relay\.example\.com$/);
  });

  it("comes back to its sender when it bounces, counts against that recipient's consent, and is an entry", async () => {
    const { hop, service, advertise, bounce, senders, bounces } = await relay();
    await advertise(ANN, BEN);
    await until("both have it", () => hop.mails.length === 2);
    expect(await bounce(senders().get(ANN) ?? "", GONE)).toMatch(/^250/);
    await until("the bounce is delivered", () => hop.mails.length === 3);
    expect(hop.mails[2]).toMatchObject({ from: "MAIL FROM:<>", recipients: ["RCPT TO:<news@shop.example>"] });
    await until("it is counted", async () => (await bounces(ANN)) === 1);
    expect(await bounces(BEN)).toBe(0);
    expect(await service.entriesSoon(1, { event: "bounced" })).toMatchObject([
      {
        client: "shop",
        sender: "news@shop.example",
        recipient: ANN,
        direction: "out",
        evidence: { returned: true, status: "5.1.1", hard: true },
      },
    ]);
    for (let more = 0; more < 2; more += 1) await bounce(senders().get(ANN) ?? "", GONE);
    await until("all are counted", async () => (await bounces(ANN)) === 3);
    expect(await advertise(ANN)).toMatch(/^550/);
    expect(await advertise(BEN)).toMatch(/^250/);
  });

  it.each([
    ["that says it was not wanted", "Action: failed\nStatus: 5.7.1\n", 1],
    [
      "of a list of which one is there",
      `${GONE}\nFinal-Recipient: rfc822; b@x.example\nAction: relayed\nStatus: 2.0.0\n`,
      1,
    ],
    ["that is only late", "Action: delayed\nStatus: 4.4.1\n", 0],
  ])("is led back but not counted by a report %s", async (_, fields, entries) => {
    const { hop, service, advertise, bounce, senders, bounces } = await relay();
    await advertise(ANN);
    await until("she has it", () => hop.mails.length === 1);
    await bounce(senders().get(ANN) ?? "", fields);
    await until("the report is delivered", () => hop.mails.length === 2);
    expect(hop.mails[1]?.recipients).toEqual(["RCPT TO:<news@shop.example>"]);
    expect(await service.entriesSoon(entries, { event: "bounced" })).toHaveLength(entries);
    expect(await bounces(ANN)).toBe(0);
  });

  it("hears nothing through an address that somebody made up", async () => {
    const { hop, advertise, bounce, senders, bounces } = await relay();
    await advertise(ANN);
    await until("she has it", () => hop.mails.length === 1);
    const forged = (senders().get(ANN) ?? "").replace("=ann=", "=ben=");
    expect(await bounce(forged, GONE)).toMatch(/^550/);
    expect(await bounces(BEN)).toBe(0);
  });

  it("reaches a great many recipients once each", async () => {
    const { hop, send, senders, service } = await relay("all", { kind: "isp-customer" });
    const all = Array.from({ length: 45 }, (_, index) => `r${index}@far.example`);
    expect(await send(SHOP, "a@shop.example", all, "From: a@shop.example\nSubject: x\n\nhello\n")).toMatch(/^250/);
    await until("all have it", () => hop.mails.length >= all.length);
    await service.entriesSoon(all.length, { event: "handed-over" });
    expect(hop.mails).toHaveLength(all.length);
    expect(new Set(senders().keys())).toEqual(new Set(all));
    expect(new Set(senders().values()).size).toBe(all.length);
  });

  it("waits as one where the next hop is away", async () => {
    const { hop, send, service } = await relay("all", { kind: "isp-customer" });
    await hop.stop();
    const all = ["a@far.example", "b@far.example", "c@far.example"];
    await send(SHOP, "a@shop.example", all, "From: a@shop.example\nSubject: x\n\nhello\n");
    const delayed = await service.entriesSoon(3, { event: "delayed" });
    expect(new Set(delayed.map(({ recipient }) => recipient))).toEqual(new Set(all));
  });
});

describe("the option", () => {
  it.each<[string, string, Overrides, boolean]>([
    ["all", "a client that said nothing", {}, true],
    ["all", "a client that does not want it", { verp: false }, false],
    ["chosen", "a client that said nothing", {}, false],
    ["chosen", "a client that wants it", { verp: true }, true],
    ["off", "a client that wants it", { verp: true }, false],
  ])("%s: %s", async (verp, _, client, expected) => {
    const { hop, advertise, senders } = await relay(verp, client);
    await advertise(ANN);
    await until("she has it", () => hop.mails.length === 1);
    expect(senders().get(ANN)?.startsWith("bounce+")).toBe(expected);
  });
});
