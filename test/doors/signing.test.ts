import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { recordName, recordText } from "../../src/authenticity/dkim/publish.ts";
import { verifyDkim } from "../../src/authenticity/dkim/verify.ts";
import { makeDkimKey, readDkimKeys } from "../../src/config/dkim-keys.ts";
import type { Client } from "../../src/mail/client.ts";
import { Headers } from "../../src/mail/headers.ts";
import { clientOf } from "../helpers/described.ts";
import { namesOf } from "../helpers/names.ts";
import { type Overrides, type RunningService, startService } from "../helpers/service.ts";
import { openTalk, type SmtpTalk } from "../helpers/smtp-talk.ts";
import { tempDir } from "../helpers/temp.ts";
import { until } from "../helpers/wait.ts";

/** Mail of our own clients as it arrives behind the real door. */
const IP = "203.0.113.9";
const ANN = "ann@example.com";

interface Site {
  readonly service: RunningService;
  readonly talk: SmtpTalk;
  /** One word for each DKIM signature: "shop.example pass". */
  verdicts(of?: string): Promise<string[]>;
}

async function siteWith(
  client: Partial<Client>,
  { xclient = IP, ...more }: Overrides & { xclient?: string } = {},
): Promise<Site> {
  const section = { dkim: { directory: join(tempDir(), "keys"), keys: [] }, dataDir: "unused" };
  for (const type of ["rsa", "ed25519"] as const)
    makeDkimKey(section, { domain: "shop.example", selector: type, type });
  makeDkimKey(section, { domain: "example.com", selector: "own", type: "ed25519" });
  const service = await startService({ dkim: { directory: section.dkim.directory }, ...more });
  await service.house.clients.save(clientOf({ networks: [IP], ...client }));
  const talk = await openTalk(service.smtp);
  await talk.sayAll("EHLO proxy.example.net", `XCLIENT ADDR=${xclient}`, "EHLO mx.shop.example");
  const names = namesOf(readDkimKeys(section).map((key) => `${recordName(key)} TXT ${recordText(key)}`));
  return {
    service,
    talk,
    async verdicts(of = ANN) {
      const bytes = Buffer.from(service.mailsTo(of)[0] ?? "", "latin1");
      const crlf = Buffer.from(bytes.toString("latin1").replace(/\r?\n/g, "\r\n"), "latin1");
      const end = crlf.indexOf("\r\n\r\n") + 4;
      const block = crlf.subarray(0, end);
      const mail = { block, headers: Headers.parse(block), body: crlf.subarray(end) };
      const found = await verifyDkim(names, mail, { nowMs: Date.now(), signaturesMax: 10 });
      return found.map(({ domain, result }) => `${domain} ${result}`);
    },
  };
}

async function send(talk: SmtpTalk, from: string, more = "Subject: minutes") {
  await talk.sayAll(`MAIL FROM:<${from}>`, `RCPT TO:<${ANN}>`, "DATA");
  const date = new Date().toUTCString().replace("GMT", "+0000");
  return talk.data(`From: ${from}\nDate: ${date}\n${more}\n\nhello\n.with a dot\n`);
}

describe("mail of a client whose domain has keys", () => {
  it("leaves with a signature of each, and both verify", async () => {
    const { talk, verdicts } = await siteWith({});
    expect((await send(talk, "a@shop.example")).code).toBe(250);
    expect(await verdicts()).toEqual(["shop.example pass", "shop.example pass"]);
  });

  it("is signed after label and List-Unsubscribe were added and X-Ad was taken out", async () => {
    const { service, talk, verdicts } = await siteWith(
      { kind: "advertiser" },
      {
        rules: { "advertising/subject-label": { addLabel: true } },
        refusals: { publicUrl: "https://relay.example.net", address: "no@example.com" },
      },
    );
    await service.house.consents.grant({
      advertiser: "shop",
      recipient: ANN,
      grantedAtMs: Date.now(),
      topics: [],
      proof: { how: "test" },
    } as never);
    expect((await send(talk, "a@shop.example", "X-Ad: yes\nSubject: sale")).text).toMatch(/^250/);
    const [mail = ""] = service.mailsTo(ANN);
    expect(mail).toMatch(/^Subject: (?:AD|=\?)/m);
    expect(mail).toMatch(/^List-Unsubscribe: /m);
    expect(mail).not.toMatch(/^X-Ad/m);
    expect(await verdicts()).toEqual(["shop.example pass", "shop.example pass"]);
  });

  it("of a subdomain is signed by the organisation's key", async () => {
    const { talk, verdicts } = await siteWith({ domains: ["*.shop.example"] });
    expect((await send(talk, "a@mail.shop.example")).code).toBe(250);
    expect(await verdicts()).toEqual(["shop.example pass", "shop.example pass"]);
  });

  it("is signed for no domain that is not the client's, though nothing refuses it", async () => {
    const { talk, verdicts } = await siteWith(
      { domains: ["other.example"] },
      { rules: { "envelope/login-owns-sender": "watch" } },
    );
    expect((await send(talk, "a@shop.example")).code).toBe(250);
    expect(await verdicts()).toEqual([]);
  });
});

describe("other mail", () => {
  it("of a stranger is not signed", async () => {
    const { talk, verdicts } = await siteWith({ domains: ["else.example"] }, { xclient: "198.51.100.77" });
    expect((await send(talk, "a@shop.example")).code).toBe(250);
    expect(await verdicts()).toEqual([]);
  });

  it("of a host of relayNetworks is signed as a local domain only", async () => {
    const networks = { relayNetworks: ["198.51.100.0/24"], xclient: "198.51.100.77" };
    const own = await siteWith({}, networks);
    expect((await send(own.talk, "boss@example.com")).code).toBe(250);
    expect(await own.verdicts()).toEqual(["example.com pass"]);
    const foreign = await siteWith({}, networks);
    expect((await send(foreign.talk, "a@shop.example")).code).toBe(250);
    expect(await foreign.verdicts()).toEqual([]);
  });
});

describe("our own mail", () => {
  const BOB = "bob@sender.example";
  /** Bob refuses by a mail to the desk, and hears that he was understood. */
  const refuse = async ({ service, talk }: Site): Promise<void> => {
    const token = service.house.tokens.make({ kind: "refuse", advertiser: "shop" });
    await talk.sayAll(`MAIL FROM:<${BOB}>`, "RCPT TO:<refuse@example.com>", "DATA");
    const date = new Date().toUTCString().replace("GMT", "+0000");
    expect((await talk.data(`From: ${BOB}\nDate: ${date}\nSubject: ${token}\n\nplease\n`)).code).toBe(250);
    await until("the letter", () => service.mailsTo(BOB).length === 1);
  };
  const asStranger = { xclient: "198.51.100.77", refusals: { address: "refuse@example.com" } };

  it("a letter of the desk, is signed by the domain it is from", async () => {
    const site = await siteWith({}, asStranger);
    await refuse(site);
    expect(await site.verdicts(BOB)).toEqual(["example.com pass"]);
  });

  it("goes unsigned where that domain has no key", async () => {
    const site = await siteWith({}, { ...asStranger, dkim: { directory: join(tempDir(), "none") } });
    await refuse(site);
    expect(await site.verdicts(BOB)).toEqual([]);
  });

  it("a report, is signed by the domain it is from, above it too", async () => {
    const from = "mailer-daemon@relay.example.com";
    const site = await siteWith(
      {},
      {
        nextHop: { mode: "queue", mailboxes: ["a@shop.example"] },
        queue: { processes: 0, reserveMb: 1, reportFrom: from },
      },
    );
    expect((await send(site.talk, "a@shop.example")).code).toBe(250);
    await until("the report", () => site.service.mailsTo("a@shop.example").length === 1);
    expect(site.service.mailsTo("a@shop.example")[0]).toMatch(new RegExp(`^From: Mail Delivery System <${from}>`, "m"));
    expect(await site.verdicts("a@shop.example")).toEqual(["example.com pass"]);
  });
});
