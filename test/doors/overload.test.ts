/** The real service, while something is short: who is put off, with which words, and that it is over when it is over. */
import { statfsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { startService } from "../helpers/service.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { until } from "../helpers/wait.ts";

const HTTP = { door: "http", listen: "127.0.0.1:0" };
const SMTP = { door: "smtp", listen: "127.0.0.1:0", requireTls: false };
const MAIL =
  "From: <a@stranger.example>\r\nDate: Sat, 01 Aug 2026 10:00:00 +0000\r\nMessage-ID: <m@x.example>\r\n\r\nhello";

/** A reserve of which the disk has only so much. */
function reserve(share: number): number {
  const { bavail, bsize } = statfsSync(".");
  return Math.ceil((bavail * bsize) / share / 1_048_576);
}

/** Of the free disk there has to be more than there is: level 1 by a little, 2 by half, 3 by far. */
const SHORT = { 1: 0.75, 2: 0.375, 3: 0.1 } as const;

async function shortOfDisk(level: 1 | 2 | 3, relayNetworks: readonly string[] = []) {
  const service = await startService({ listeners: [SMTP, HTTP], relayNetworks });
  const overload = { diskFreeMb: reserve(SHORT[level]) };
  await service.reload({ overload });
  const ready = async () => (await fetch(`http://127.0.0.1:${service.ports[1]}/readyz`)).status;
  await until("it is short", async () => (await ready()) === 503);
  return { service, ready };
}

describe("a disk that is nearly full", () => {
  it("puts strangers off before anything is done for them, hears postmaster, and lets everybody in again by itself", async () => {
    const { service, ready } = await shortOfDisk(1);
    const smtp = await openSmtp(service.smtp);
    await smtp.say("EHLO host.stranger.example");
    expect(await smtp.say("MAIL FROM:<a@stranger.example>")).toMatch(/^250/);
    expect(await smtp.say("RCPT TO:<b@example.com>")).toMatch(/^452.*4\.3\.1 no space left/);
    expect(await smtp.say("DATA"), "there is no recipient").toMatch(/^503/);
    expect(await service.entries(), "nothing was done").toEqual([]);
    expect(await smtp.say("RCPT TO:<postmaster>")).toMatch(/^250/);
    expect(await smtp.say("RCPT TO:<b@example.com>")).toMatch(/^452/);
    expect(await smtp.say("DATA")).toMatch(/^354/);
    expect(await smtp.say(`${MAIL}\r\n.`)).toMatch(/^250/);
    await service.reload({ overload: { diskFreeMb: 0 } });
    await until("it is over", async () => (await ready()) === 200);
    const heard = await smtp.mail({ from: "a@stranger.example", to: ["b@example.com"], content: MAIL });
    expect(heard.at(-1)).toMatch(/^250/);
    smtp.end();
  });

  it("lets clients in while strangers are put off", async () => {
    const { service } = await shortOfDisk(1, ["127.0.0.1"]);
    const smtp = await openSmtp(service.smtp);
    await smtp.say("EHLO host.client.example");
    expect((await smtp.mail({ from: "a@stranger.example", to: ["b@example.com"], content: MAIL })).at(-1)).toMatch(
      /^250/,
    );
    smtp.end();
  });

  it("puts clients off, too, where it is worse, at MAIL", async () => {
    const { service } = await shortOfDisk(2, ["127.0.0.1"]);
    const smtp = await openSmtp(service.smtp);
    await smtp.say("EHLO host.client.example");
    expect(await smtp.say("MAIL FROM:<a@stranger.example>")).toMatch(/^452.*4\.3\.1/);
    smtp.end();
  });

  it("turns connections away with the reason where it is worst, and a mail that was begun may end", async () => {
    const service = await startService({ listeners: [SMTP, HTTP] });
    const smtp = await openSmtp(service.smtp);
    await smtp.say("EHLO host.stranger.example");
    await smtp.say("MAIL FROM:<a@stranger.example>");
    await smtp.say("RCPT TO:<b@example.com>");
    await service.reload({ overload: { diskFreeMb: reserve(SHORT[3]) } });
    const greeting = await until("it is short", async () => {
      const other = await openSmtp(service.smtp);
      other.end();
      return other.greeting.startsWith("421") && other.greeting;
    });
    expect(greeting).toMatch(/4\.3\.2 this server can take no connection now/);
    expect(await smtp.say("DATA")).toMatch(/^354/);
    expect(await smtp.say(`${MAIL}\r\n.`)).toMatch(/^250/);
    smtp.end();
  });
});

describe("memory that is used up", () => {
  it("puts strangers off with 451", async () => {
    const service = await startService({ listeners: [SMTP] });
    await service.reload({ overload: { memoryMb: Math.ceil(process.memoryUsage.rss() / 1_048_576 / 1.05) } });
    const smtp = await openSmtp(service.smtp);
    await smtp.say("EHLO host.stranger.example");
    const refusal = await until("it is short", async () => {
      await smtp.say("RSET");
      const heard = [await smtp.say("MAIL FROM:<a@stranger.example>"), await smtp.say("RCPT TO:<b@example.com>")];
      return heard.find((reply) => reply.startsWith("4"));
    });
    expect(refusal).toMatch(/^451.*4\.3\.2 this server has more to do than it can/);
    smtp.end();
  });
});
