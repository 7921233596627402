import { describe, expect, it, onTestFinished } from "vitest";
import { startScripted } from "../helpers/scripted-server.ts";
import { type Overrides, startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { until } from "../helpers/wait.ts";

/** Mail that a host of our own forwards for somebody else, and what bounces from it. */
const HOST = "198.51.100.7";
const WORLD = "203.0.113.9";

async function relay(more: Overrides = {}) {
  const hop = await startScripted();
  onTestFinished(() => hop.stop());
  const { nextHop, ...rest } = more as { nextHop?: object };
  const service = await startService({
    hostname: "relay.example.com",
    localDomains: ["example.com", "relay.example.com"],
    relayNetworks: [HOST],
    envelopeRewriting: { mode: "srs" },
    rules: { "advertising/detect": "off" },
    nextHop: { to: `smtp://127.0.0.1:${hop.port}`, ...nextHop },
    ...rest,
  });
  return {
    hop,
    service,
    async send(ip: string, from: string, to: string): Promise<string> {
      const talk = await openTalk(service.smtp);
      await talk.sayAll("EHLO proxy.example.net", `XCLIENT ADDR=${ip}`, "EHLO mx.host.example");
      const said = await talk.say(`MAIL FROM:<${from}>`);
      if (said.code !== 250) return said.text;
      const rcpt = await talk.say(`RCPT TO:<${to}>`);
      if (rcpt.code !== 250) return rcpt.text;
      await talk.say("DATA");
      const date = new Date().toUTCString().replace("GMT", "+0000");
      return (await talk.data(`From: ${from || "mailer-daemon@mx.example"}\nDate: ${date}\nSubject: x\n\nhello\n`))
        .text;
    },
  };
}

describe("a sender of somebody else", () => {
  it("is rewritten where our own host forwards, and a bounce to it finds its way back", async () => {
    const { hop, send } = await relay();
    expect(await send(HOST, "li@sender.example", "ann@far.example")).toMatch(/^250/);
    const ours = /<(SRS0=[^>]+@relay\.example\.com)>/.exec(hop.mails[0]?.from ?? "")?.[1] ?? "";
    expect(ours).not.toBe("");
    expect(await send(WORLD, "", ours)).toMatch(/^250/);
    expect(hop.mails[1]?.recipients).toEqual(["RCPT TO:<li@sender.example>"]);
  });

  it("is led back for bounces only, and only where the seal is ours", async () => {
    const { hop, send } = await relay();
    await send(HOST, "li@sender.example", "ann@far.example");
    const ours = /<(SRS0=[^>]+)>/.exec(hop.mails[0]?.from ?? "")?.[1] ?? "";
    expect(await send(WORLD, "", ours.replace("=li@", "=lu@"))).toMatch(/^550/);
    expect(await send(WORLD, "boss@world.example", ours)).toMatch(/^250/);
    expect(hop.mails[1]?.recipients).toEqual([`RCPT TO:<${ours}>`]);
  });

  it("is left alone where it is our own, a stranger's to us, or nothing is to be rewritten", async () => {
    const { hop, send } = await relay();
    await send(HOST, "boss@example.com", "ann@far.example");
    await send(WORLD, "li@sender.example", "ann@example.com");
    const off = await relay({ envelopeRewriting: { mode: "off" } });
    await off.send(HOST, "li@sender.example", "ann@far.example");
    expect([...hop.mails, ...off.hop.mails].map(({ from }) => /<[^>]*>/.exec(from)?.[0])).toEqual([
      "<boss@example.com>",
      "<li@sender.example>",
      "<li@sender.example>",
    ]);
  });

  it("is rewritten and led back through the queue, too", async () => {
    const { hop, send } = await relay({ nextHop: { mode: "queue" }, queue: { processes: 0, reserveMb: 1 } });
    await send(HOST, "li@sender.example", "ann@far.example");
    await until("it is delivered", () => hop.mails.length === 1);
    const ours = /<(SRS0=[^>]+)>/.exec(hop.mails[0]?.from ?? "")?.[1] ?? "";
    await send(WORLD, "", ours);
    await until("the bounce is delivered", () => hop.mails.length === 2);
    expect(hop.mails[1]?.recipients).toEqual(["RCPT TO:<li@sender.example>"]);
  });
});
