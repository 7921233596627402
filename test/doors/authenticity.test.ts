/** What comes of the rules about who sent a mail, through the real door, with a real DNS server. */
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type RunningDnsServer, startDnsServer, zoneOf } from "../../scripts/lib/dns/server.ts";
import { SEALED_NAMES, sealArc } from "../../src/authenticity/arc/seal.ts";
import { verifyArc } from "../../src/authenticity/arc/verify.ts";
import { Headers } from "../../src/mail/headers.ts";
import { NOW_MS } from "../helpers/described.ts";
import { namesOf } from "../helpers/names.ts";
import { type Overrides, startService } from "../helpers/service.ts";
import { type HeardReply, openTalk } from "../helpers/smtp-talk.ts";
import { tempDir } from "../helpers/temp.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const KEY = `v=DKIM1; p=${publicKey.export({ type: "spki", format: "der" }).toString("base64")}`;

const LINES = [
  "friend.example TXT v=spf1 ip4:192.0.2.1 -all",
  "friend.example MX 10 mx.friend.example",
  "mx.friend.example A 192.0.2.1",
  "forwarder.example TXT v=spf1 ip4:192.0.2.1 -all",
  "forwarder.example A 192.0.2.1",
  `s._domainkey.forwarder.example TXT ${KEY}`,
  `arc._domainkey.example.net TXT ${KEY}`,
  "bank.example A 192.0.2.9",
  "_dmarc.bank.example TXT v=DMARC1; p=reject",
  "quiet.example silence",
  "_dmarc.quiet.example silence",
];

let server: RunningDnsServer | undefined;
afterEach(() => server?.stop());

async function serve(overrides: Overrides = {}) {
  server = await startDnsServer({ zone: zoneOf(LINES) });
  return startService({ dns: { servers: [server.address], timeoutMs: 500 }, ...overrides });
}

interface Letter {
  readonly from?: string;
  readonly envelope?: string;
  readonly header?: string;
  readonly to?: string;
}

async function send(port: number, letter: Letter): Promise<HeardReply> {
  const { from = "bob@friend.example", envelope = "bob@friend.example", header = "", to = "ann@example.com" } = letter;
  const talk = await openTalk(port);
  await talk.sayAll("EHLO proxy.example", "XCLIENT ADDR=192.0.2.1 NAME=[UNAVAILABLE]", "EHLO mx.friend.example");
  const begun = await talk.say(`MAIL FROM:<${envelope}>`);
  if (begun.code !== 250) return begun;
  await talk.sayAll(`RCPT TO:<${to}>`, "DATA");
  const reply = await talk.data(
    `${header}From: ${from}\nDate: Sun, 22 Nov 2026 07:30:00 +0000\nSubject: hi\n\nhello\n`,
  );
  talk.vanish();
  return reply;
}

describe("who sent a mail", () => {
  it("is told to the next server, in place of what somebody forged in our name", async () => {
    const service = await serve();
    const header =
      "Authentication-Results: relay.example.net; dmarc=pass\nAuthentication-Results: other.example; spf=pass\n";
    expect((await send(service.smtp, { header })).code).toBe(250);
    const [mail = ""] = service.mailsTo("ann@example.com");
    expect(mail.match(/^Authentication-Results: \S+/gm)).toEqual([
      "Authentication-Results: relay.example.net;",
      "Authentication-Results: other.example;",
    ]);
    expect(mail).toContain('spf=pass reason="ip4:192.0.2.1" smtp.mailfrom=bob@friend.example');
    expect(mail).not.toContain("dmarc=pass");
  });

  it("is in the ledger, whatever becomes of the mail", async () => {
    const service = await serve();
    await send(service.smtp, {});
    await send(service.smtp, { from: "boss@bank.example" });
    const entries = await service.entriesSoon(3);
    expect(entries.map(({ evidence }) => evidence)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ authentic: "pass", spf: "pass friend.example", dmarc: "none friend.example" }),
        expect.objectContaining({ authentic: "fail", dmarc: "fail bank.example", policy: "reject" }),
      ]),
    );
  });

  it("is refused with the code of RFC 7372 and the article", async () => {
    const service = await serve();
    const reply = await send(service.smtp, { from: "boss@bank.example" });
    expect(reply.text).toMatch(/^550-5\.7\.26 /);
    expect(reply.lines.at(-1)).toContain("Order 38 (CN 2006) art. 13(1)");
    expect((await send(service.smtp, { envelope: "a@nowhere.example" })).text).toMatch(/^550-5\.1\.8 /);
  });

  it("is believed to a trusted sealer, and to nobody else", async () => {
    const letter = "From: boss@bank.example\r\nDate: Sun, 22 Nov 2026 07:30:00 +0000\r\nSubject: hi\r\n\r\n";
    const block = Buffer.from(letter);
    const fields = await sealArc(
      { block, headers: Headers.parse(block), body: Buffer.from("hello\r\n") },
      {
        sealer: { domain: "forwarder.example", selector: "s", key: privateKey },
        chain: { result: "none", sets: [] },
        results: "forwarder.example; dmarc=pass header.from=bank.example",
        signedNames: SEALED_NAMES,
        nowMs: NOW_MS,
      },
    );
    const header = fields.map(({ name, value }) => `${name}: ${value}\n`).join("");
    const forwarded = { from: "boss@bank.example", envelope: "list@forwarder.example", header };
    const distrusting = await serve();
    expect((await send(distrusting.smtp, forwarded)).text).toMatch(/^550-5\.7\.26 /);
    await distrusting.reload({ rules: { "envelope/authenticity": { trustedSealers: ["Forwarder.example"] } } });
    expect((await send(distrusting.smtp, forwarded)).code).toBe(250);
    expect((await send(distrusting.smtp, { ...forwarded, from: "ceo@bank.example" })).text).toMatch(/^550-5\.7\.26 /);
  });

  it("is sealed where we change the mail, so that the next server can check what we saw", async () => {
    const keyFile = join(tempDir(), "arc.pem");
    writeFileSync(keyFile, pem);
    const service = await serve({ arc: { domain: "example.net", selector: "arc", keyFile } });
    await send(service.smtp, { to: "plain@example.com" });
    await send(service.smtp, {
      to: "changed@example.com",
      header: "Authentication-Results: relay.example.net; dmarc=pass\n",
    });
    const [plain = ""] = service.mailsTo("plain@example.com");
    expect(plain).not.toMatch(/^ARC-/m);
    const [mail = ""] = service.mailsTo("changed@example.com");
    const bytes = Buffer.from(mail, "latin1");
    const end = bytes.indexOf("\r\n\r\n") + 4;
    const block = bytes.subarray(0, end);
    const outcome = await verifyArc(namesOf(LINES), {
      block,
      headers: Headers.parse(block),
      body: bytes.subarray(end),
    });
    expect(outcome).toMatchObject({ result: "pass", sealer: "example.net" });
    expect(mail).toMatch(/^ARC-Authentication-Results: i=1; relay\.example\.net; spf=pass/m);
  });

  it("cannot be known while DNS is silent: that mail waits at its sender, and no other mail waits for it", async () => {
    const service = await serve();
    await service.reload({ dns: { timeoutMs: 3000 } });
    await send(service.smtp, {});
    let answered = 0;
    const silent = Array.from({ length: 30 }, async (_, n) => {
      const reply = await send(service.smtp, n % 2 ? { envelope: "a@quiet.example" } : { from: "a@quiet.example" });
      answered += 1;
      return reply.text.slice(0, 9);
    });
    for (let n = 0; n < 10; n += 1) expect((await send(service.smtp, {})).code).toBe(250);
    expect(answered, "silent ones that were answered before ten others, one after the other").toBe(0);
    expect(new Set(await Promise.all(silent))).toEqual(new Set(["451-4.4.3"]));
  });
});

it("a key that is none is told when the configuration is read", async () => {
  const keyFile = join(tempDir(), "arc.pem");
  writeFileSync(keyFile, "no key");
  await expect(serve({ arc: { domain: "example.net", selector: "arc", keyFile } })).rejects.toThrow("arc.keyFile");
});
