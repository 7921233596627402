/** Return addresses (VERP) and a bounce that a real Postfix writes. One command: vitest run test/real/verp-postfix.test.ts */
import { type AddressInfo, createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { postfixIsHere, startPostfix } from "../helpers/postfix.ts";
import { startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { until } from "../helpers/wait.ts";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it.skipIf(!postfixIsHere())(
  "a bounce of Postfix comes back to the sender, is an entry, and counts against the recipient who is not there",
  async () => {
    const port = await freePort();
    const postfix = await startPostfix({
      users: ["news", "here"],
      // It takes mail for everybody, and finds out later who is not there.
      mainCf: ["smtpd_reject_unlisted_recipient = no", `relayhost = [127.0.0.1]:${port}`],
    });
    onTestFinished(() => postfix.stop());
    const service = await startService({
      hostname: "relay.example.com",
      localDomains: ["relay.example.com"],
      listeners: [{ door: "smtp", listen: `127.0.0.1:${port}`, requireTls: false }],
      envelopeRewriting: { verp: "all" },
      rules: { default: "off" },
      nextHop: { to: `smtp://127.0.0.1:${postfix.port}`, mode: "queue", tls: "never" },
      queue: { processes: 0, reserveMb: 1 },
    });
    await service.house.clients.save({
      id: "shop",
      kind: "advertiser",
      networks: ["198.51.100.7"],
      domains: ["example.test"],
      disabled: false,
    });
    const gone = "gone@example.test";
    for (const recipient of [gone, "here@example.test"]) {
      await service.house.consents.grant({ advertiser: "shop", recipient, topics: [], proof: { how: "test" } });
    }
    const talk = await openTalk(service.smtp);
    await talk.sayAll("EHLO proxy.example.net", "XCLIENT ADDR=198.51.100.7", "EHLO mx.shop.example");
    await talk.sayAll("MAIL FROM:<news@example.test>", "RCPT TO:<here@example.test>", `RCPT TO:<${gone}>`, "DATA");
    const date = new Date().toUTCString().replace("GMT", "+0000");
    const said = await talk.data(`From: news@example.test\nDate: ${date}\nX-Ad: yes\nSubject: [QC] sale\n\nbuy\n`);
    expect(said.text).toMatch(/^250/);

    const [mail] = await postfix.delivered("here", 1, 20_000);
    expect(String(mail)).toMatch(/^Return-Path: <bounce\+[a-z2-7]{20}=here=example\.test@relay\.example\.com>$/m);
    const [bounce] = await postfix.delivered("news", 1, 30_000);
    expect(String(bounce)).toMatch(/^Return-Path: <>$/m);
    expect(String(bounce)).toMatch(/^Final-Recipient: rfc822; gone@example\.test$/m);
    expect(await service.entriesSoon(1, { event: "bounced" })).toMatchObject([
      { client: "shop", sender: "news@example.test", recipient: gone, evidence: { status: "5.1.1", hard: true } },
    ]);
    await until("it is counted", async () => {
      const [found] = await service.house.consents.find("shop", [gone]);
      return found?.bounces?.count === 1;
    });
    const [here] = await service.house.consents.find("shop", ["here@example.test"]);
    expect(here?.bounces).toBeUndefined();
  },
);
