/** What a sender hears who asked to be told of success (RFC 3461 NOTIFY=SUCCESS), by where his mail went. */
import { describe, expect, it, onTestFinished } from "vitest";
import { startScripted } from "../../helpers/scripted-server.ts";
import { type RunningService, startService } from "../../helpers/service.ts";
import { openSmtp } from "../../helpers/smtp-dialogue.ts";
import { until } from "../../helpers/wait.ts";

async function relay(to: string | undefined): Promise<RunningService> {
  const service = await startService({
    nextHop: { mode: "queue", ...(to !== undefined && { to }) },
    queue: { processes: 0, reserveMb: 1 },
    relayNetworks: ["127.0.0.1"],
    localDomains: ["example.com", "shop.example"],
  });
  const client = await openSmtp(service.smtp);
  const date = new Date().toUTCString().replace("GMT", "+0000");
  for (const line of [
    "EHLO pc.shop.example",
    "MAIL FROM:<a@shop.example> ENVID=QQ314159",
    "RCPT TO:<b@example.com> NOTIFY=SUCCESS",
    "RCPT TO:<c@example.com>",
    "DATA",
    `From: a@shop.example\r\nDate: ${date}\r\nSubject: hi\r\n\r\nhello\r\n.`,
  ]) {
    expect(await client.say(line)).toMatch(/^[23]/);
  }
  client.end();
  return service;
}

/** The recipients and actions of a report. */
const toldIn = (report: string): string[] =>
  [...report.matchAll(/^Final-Recipient: rfc822; (\S+?)\r?\nAction: (\S+?)\r?\n/gm)].map(
    ([, who, action]) => `${who} ${action}`,
  );

describe("a sender who asked to hear of success", () => {
  it.each([
    ["relayed", { lmtp: false }],
    ["delivered", { lmtp: true }],
  ])("is told %s by a next hop without DSN: %o", async (action, options) => {
    const hop = await startScripted(options);
    onTestFinished(() => hop.stop());
    await relay(`${options.lmtp ? "lmtp" : "smtp"}://127.0.0.1:${hop.port}`);
    const mails = await until("the report", () => (hop.mails.length === 2 ? hop.mails : undefined));
    expect(mails[1]?.recipients).toEqual(["RCPT TO:<a@shop.example>"]);
    expect(toldIn(String(mails[1]?.body))).toEqual([`b@example.com ${action}`]);
    expect(String(mails[1]?.body)).toMatch(/^Original-Envelope-Id: QQ314159\r$/m);
  });

  it("is told that it was delivered where it went into a Maildir", async () => {
    const service = await relay(undefined);
    const [report = ""] = await until("the report", () => {
      const found = service.mailsTo("a@shop.example");
      return found.length > 0 ? found : undefined;
    });
    expect(toldIn(report)).toEqual(["b@example.com delivered"]);
  });

  it("is told nothing by us where the next server does DSN itself", async () => {
    const hop = await startScripted({ extensions: ["PIPELINING", "DSN"] });
    onTestFinished(() => hop.stop());
    const service = await relay(`smtp://127.0.0.1:${hop.port}`);
    await service.entriesSoon(2, { event: "handed-over" });
    expect(hop.mails).toHaveLength(1);
    expect(hop.mails[0]?.recipients[0]).toBe("RCPT TO:<b@example.com> NOTIFY=SUCCESS");
    expect(await service.entries({ event: "reported" })).toEqual([]);
  });
});
