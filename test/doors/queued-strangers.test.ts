/** Strangers' mail in our custody: who hears of a failure, and who does not, with a real DNS server and a next hop that refuses. */
import { join } from "node:path";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { type RunningDnsServer, startDnsServer, zoneOf } from "../../scripts/lib/dns/server.ts";
import { openSpoolDesk } from "../../src/stores/spool/desk.ts";
import { startScripted } from "../helpers/scripted-server.ts";
import { startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { until } from "../helpers/wait.ts";

const LINES = [
  "friend.example TXT v=spf1 ip4:192.0.2.1 -all",
  "friend.example MX 10 mx.friend.example",
  "mx.friend.example A 192.0.2.1",
  "victim.example MX 10 mx.victim.example",
  "mx.victim.example A 192.0.2.9",
];

let server: RunningDnsServer | undefined;
afterEach(() => server?.stop());

async function relay() {
  server = await startDnsServer({ zone: zoneOf(LINES) });
  const hop = await startScripted({ answers: { RCPT: ["550 5.1.1 nobody of that name", undefined] } });
  onTestFinished(() => hop.stop());
  const service = await startService({
    dns: { servers: [server.address], timeoutMs: 500 },
    nextHop: { mode: "queue", to: `smtp://127.0.0.1:${hop.port}` },
    queue: { processes: 0, reserveMb: 1 },
    rules: { "advertising/detect": "off" },
  });
  const send = async (envelope: string): Promise<string> => {
    const talk = await openTalk(service.smtp);
    await talk.sayAll("EHLO proxy.example", "XCLIENT ADDR=192.0.2.1 NAME=[UNAVAILABLE]", "EHLO mx.friend.example");
    await talk.sayAll(`MAIL FROM:<${envelope}>`, "RCPT TO:<nobody@example.com>", "DATA");
    const date = new Date().toUTCString().replace("GMT", "+0000");
    const { text } = await talk.data(`From: ${envelope}\nDate: ${date}\nSubject: hi\n\nhello\n`);
    talk.vanish();
    return text;
  };
  return { hop, service, send };
}

describe("a stranger whose mail fails", () => {
  it("is told by a mail where his domain vouches for him", async () => {
    const { hop, service, send } = await relay();
    expect(await send("bob@friend.example")).toMatch(/^250/);
    await until("the report is out", () => hop.mails.length === 1);
    expect(hop.mails).toMatchObject([{ from: "MAIL FROM:<>", recipients: ["RCPT TO:<bob@friend.example>"] }]);
    const [bounced] = await service.entriesSoon(1, { event: "bounced" });
    expect(bounced?.evidence?.untold).toBeUndefined();
    expect(await service.entriesSoon(1, { event: "reported" })).toMatchObject([{ evidence: { kind: "failed" } }]);
  });

  it("hears nothing where nobody vouches, as he may not have sent it; the entry says so", async () => {
    const { hop, service, send } = await relay();
    expect(await send("ann@victim.example")).toMatch(/^250/);
    const [bounced] = await service.entriesSoon(1, { event: "bounced" });
    expect(bounced).toMatchObject({ sender: "ann@victim.example", evidence: { untold: "nothing proves the sender" } });
    const desk = openSpoolDesk(join(service.dir, "data", "spool"), 5_000);
    onTestFinished(() => desk.close());
    await until("the queue is empty", async () => {
      for await (const _ of desk.list({ limit: 1 })) return false;
      return true;
    });
    expect(await service.entries({ event: "reported" })).toEqual([]);
    expect(hop.mails).toEqual([]);
  });
});
