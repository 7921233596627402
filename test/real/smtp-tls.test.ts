import { execFileSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { describe, expect, it } from "vitest";
import { clientOf } from "../helpers/described.ts";
import { EHLO, letter, MAIL, RCPT } from "../helpers/letters-now.ts";
import { installed } from "../helpers/process.ts";
import { startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { tempDir } from "../helpers/temp.ts";

const dir = tempDir();

/** A self-signed certificate for this name. */
function certificate(name: string): { certFile: string; keyFile: string } {
  const [keyFile, certFile] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)];
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" ");
  execFileSync("openssl", [...request, "-subj", `/CN=${name}`, "-keyout", keyFile, "-out", certFile], {
    stdio: "ignore",
  });
  return { certFile, keyFile };
}

const login = `AUTH PLAIN ${Buffer.from("\0shop\0sesame").toString("base64")}`;

/** The name on the certificate that a port shows from the start. */
const nameShown = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject?.CN));
      socket.destroy();
    });
    socket.once("error", reject);
  });

describe.skipIf(!installed("openssl"))("SMTP over TLS (needs openssl)", () => {
  const tls = installed("openssl") ? certificate("relay.example.net") : { certFile: "", keyFile: "" };
  const listeners = [{ door: "smtp", listen: "127.0.0.1:0" }];

  async function start(more: Record<string, unknown> = {}) {
    const service = await startService({ tls, listeners, ...more });
    await service.house.clients.save(clientOf(), "sesame");
    return service;
  }

  it("offers STARTTLS and no AUTH before it, and AUTH and no STARTTLS after it", async () => {
    const service = await start();
    const talk = await openTalk(service.smtp);
    const before = (await talk.say(EHLO)).text;
    expect(before).toContain("STARTTLS");
    expect(before).not.toContain("AUTH");
    expect((await talk.say(login)).code, "not taken either").toBe(500);
    expect((await talk.say("STARTTLS")).code).toBe(220);
    await talk.upgrade();
    const after = (await talk.say(EHLO)).text;
    expect(after).toContain("AUTH PLAIN LOGIN");
    expect(after).not.toContain("STARTTLS");
    expect((await talk.say(login)).code).toBe(235);
  });

  it("shows in trace and ledger", async () => {
    const service = await start();
    const talk = await openTalk(service.smtp);
    await talk.sayAll(EHLO, "STARTTLS");
    await talk.upgrade();
    await talk.sayAll(EHLO, login, "MAIL FROM:<a@shop.example>", RCPT, "DATA");
    expect((await talk.data(letter().replaceAll("bob@sender.example", "a@shop.example"))).code).toBe(250);
    expect(service.mails()[0]).toContain("with ESMTPSA id ");
    expect((await service.entries())[0]?.tls).toMatch(/^TLSv1\.[23] \S+$/);
  });

  it("forgets what was said before: HELO, login and mail", async () => {
    const service = await start({ listeners: [{ door: "smtp", listen: "127.0.0.1:0", requireTls: false }] });
    const talk = await openTalk(service.smtp);
    await talk.sayAll(EHLO, login, "MAIL FROM:<a@shop.example>", "RCPT TO:<x@other.example>", "STARTTLS");
    await talk.upgrade();
    expect((await talk.say(RCPT)).code, "HELO first").toBe(503);
    await talk.sayAll(EHLO, "MAIL FROM:<a@shop.example>");
    expect((await talk.say("RCPT TO:<x@other.example>")).code, "a stranger again").toBe(550);
  });

  it("runs nothing that was sent in the clear behind STARTTLS", async () => {
    const service = await start();
    const talk = await openTalk(service.smtp);
    await talk.say(EHLO);
    talk.send(`STARTTLS\r\n${EHLO}\r\n${MAIL}\r\n${RCPT}\r\nDATA\r\ninjected\r\n.\r\n`);
    expect((await talk.hear()).code).toBe(220);
    await talk.upgrade();
    expect((await talk.say("NOOP")).code, "the first reply inside TLS is to the first command inside it").toBe(250);
    expect(service.mails()).toEqual([]);
  });

  it("a handshake that fails ends that connection and no other", async () => {
    const service = await start();
    const steady = await openTalk(service.smtp);
    const talk = await openTalk(service.smtp);
    await talk.sayAll(EHLO, "STARTTLS");
    talk.send("this is no handshake\r\n");
    await talk.closed;
    expect((await steady.sayAll(EHLO, MAIL, RCPT)).code).toBe(250);
  });

  it("from the first byte, where the listener says so, and a place is free again when a client leaves", async () => {
    const service = await start({
      listeners: [{ door: "submission", listen: "127.0.0.1:0", tls: "implicit" }],
      limits: { connectionsPerIpMax: 1 },
    });
    for (let visits = 0; visits < 3; visits += 1) {
      await expect.poll(() => nameShown(service.smtp), { timeout: 5000 }).toBe("relay.example.net");
    }
  });

  it("shows a renewed certificate to whoever comes after a reload", async () => {
    const renewed = { certFile: join(dir, "current.pem"), keyFile: join(dir, "current.key") };
    const put = (from: { certFile: string; keyFile: string }): void => {
      copyFileSync(from.certFile, renewed.certFile);
      copyFileSync(from.keyFile, renewed.keyFile);
    };
    put(tls);
    const service = await startService({
      tls: renewed,
      listeners: [{ door: "submission", listen: "127.0.0.1:0", tls: "implicit" }],
    });
    expect(await nameShown(service.smtp)).toBe("relay.example.net");
    put(certificate("renewed.example.net"));
    await service.reload({});
    expect(await nameShown(service.smtp)).toBe("renewed.example.net");
  });
});
