import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { NextHop } from "../../src/delivery/next-hop.ts";
import { type NextHopOptions, openNextHop } from "../../src/delivery/open.ts";
import { parcelOf } from "../../src/delivery/parcel.ts";
import type { Sender } from "../../src/mail/views.ts";
import { contentOf, recipientOf, senderOf, sessionOf } from "../helpers/letters.ts";
import { type ScriptOptions, startScripted } from "../helpers/scripted-server.ts";

interface Certificate {
  readonly key: string;
  readonly cert: string;
  readonly file: string;
}

let directory = "";
let good: Certificate;
let otherName: Certificate;
const running: { stop(): Promise<void> }[] = [];

/** Self-signed, so that it is its own CA. */
async function certificate(name: string, subject: string): Promise<Certificate> {
  const [key, cert] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
  const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test`.split(" ");
  execFileSync("openssl", [...request, "-addext", `subjectAltName=${subject}`, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  return { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8"), file: cert };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "next-hop-tls-"));
  good = await certificate("good", "IP:127.0.0.1,DNS:localhost");
  otherName = await certificate("other", "DNS:elsewhere.example");
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(async () => {
  for (const { stop } of running.splice(0).reverse()) await stop();
});

async function world(script: ScriptOptions, options: Partial<NextHopOptions>) {
  const server = await startScripted(script);
  const scheme = script.implicitTls ? "smtps" : "smtp";
  const hop = openNextHop(`${scheme}://127.0.0.1:${server.port}`, {
    hostname: "relay.example",
    timeoutMs: 5_000,
    connectionsMax: 2,
    idleMs: 60_000,
    mailsPerConnectionMax: 100,
    tls: "opportunistic",
    ...options,
  });
  running.push(server, { stop: () => hop.close(0) });
  return { server, hop };
}

async function deliver(hop: NextHop, sender: Partial<Sender> = {}) {
  const handover = hop.begin(sessionOf(), senderOf("a@example.com", sender), "01MAIL");
  const rcpt = await handover.rcpt(recipientOf("b@example.com"));
  if (rcpt.code !== 250) return rcpt;
  const { replies, nextHopIp } = await handover.data(
    parcelOf(contentOf("x\r\n"), Buffer.alloc(0), []),
    Promise.resolve(),
  );
  expect(nextHopIp).toBe("127.0.0.1");
  return replies[0];
}

const STARTTLS = ["STARTTLS", "PIPELINING", "REQUIRETLS"];
const unavailable = { name: "Unavailable", dependency: "next-hop" };

describe("STARTTLS", () => {
  it("is used when offered, and the extensions are asked for again", async () => {
    const { server, hop } = await world({ extensions: STARTTLS, tls: good }, {});
    expect(await deliver(hop)).toMatchObject({ code: 250 });
    expect(server.commands.slice(0, 3)).toEqual(["EHLO relay.example", "STARTTLS", "EHLO relay.example"]);
    expect(server.mails).toHaveLength(1);
  });

  it("required, with a certificate that holds, carries mail and REQUIRETLS", async () => {
    const { server, hop } = await world({ extensions: STARTTLS, tls: good }, { tls: "require", caFile: good.file });
    expect(await deliver(hop, { requireTls: true })).toMatchObject({ code: 250 });
    expect(server.mails[0]?.from).toBe("MAIL FROM:<a@example.com> REQUIRETLS");
  });

  it("with a certificate nobody checked does not fulfil REQUIRETLS", async () => {
    const { server, hop } = await world({ extensions: STARTTLS, tls: good }, {});
    expect(await deliver(hop, { requireTls: true })).toMatchObject({ code: 550, enhanced: "5.7.30" });
    expect(server.mails).toHaveLength(0);
  });

  it.each([
    ["is not offered", () => ({ extensions: [] }), {}],
    ["is refused", () => ({ extensions: STARTTLS, answers: { STARTTLS: "454 4.7.0 not now" } }), {}],
    ["shows a certificate of nobody we trust", () => ({ extensions: STARTTLS, tls: good }), {}],
    ["shows the certificate of another", () => ({ extensions: STARTTLS, tls: otherName }), { caFile: "other" }],
    [
      "is followed by clear text",
      () => ({ extensions: STARTTLS, tls: good, answers: { STARTTLS: "220 go\r\n250 x" } }),
      {},
    ],
    [
      "is followed by half a clear line",
      () => ({ extensions: STARTTLS, tls: good, answers: { STARTTLS: "220 go\r\n250-" } }),
      {},
    ],
    [
      "breaks in the handshake",
      () => ({ extensions: STARTTLS, answers: { STARTTLS: { say: "220 go", close: true } } }),
      {},
    ],
  ] as [string, () => ScriptOptions, { caFile?: string }][])(
    "required, but it %s: Unavailable",
    async (_, script, { caFile }) => {
      const trust = caFile ? { caFile: otherName.file } : {};
      const { server, hop } = await world(script(), { tls: "require", timeoutMs: 1_000, ...trust });
      await expect(deliver(hop)).rejects.toMatchObject(unavailable);
      expect(server.commands.some((line) => line.startsWith("MAIL"))).toBe(false);
      await expect.poll(() => server.open).toBe(0);
    },
  );

  it("that stalls in the handshake is Unavailable in time", async () => {
    const { server, hop } = await world({ extensions: STARTTLS, answers: { STARTTLS: "220 go" } }, { timeoutMs: 150 });
    await expect(deliver(hop)).rejects.toMatchObject(unavailable);
    await expect.poll(() => server.open).toBe(0);
  });

  it("refused while only wished for goes on in clear text", async () => {
    const { server, hop } = await world({ extensions: STARTTLS, answers: { STARTTLS: "454 4.7.0 not now" } }, {});
    expect(await deliver(hop)).toMatchObject({ code: 250 });
    expect(server.mails).toHaveLength(1);
  });

  it("is not used when switched off", async () => {
    const { server, hop } = await world({ extensions: STARTTLS, tls: good }, { tls: "never" });
    await deliver(hop);
    expect(server.commands).not.toContain("STARTTLS");
  });
});

describe("smtps", () => {
  it("is encrypted from the first byte", async () => {
    const { server, hop } = await world({ tls: good, implicitTls: true }, { caFile: good.file });
    expect(await deliver(hop)).toMatchObject({ code: 250 });
    expect(server.commands).not.toContain("STARTTLS");
  });

  it("with a certificate of nobody we trust is Unavailable", async () => {
    const { hop } = await world({ tls: good, implicitTls: true }, {});
    await expect(deliver(hop)).rejects.toMatchObject(unavailable);
  });

  it("carries a large mail, streamed", async () => {
    const { server, hop } = await world({ tls: good, implicitTls: true }, { caFile: good.file });
    const mail = Buffer.from(".0123456789\r\n".repeat(60_000));
    const handover = hop.begin(sessionOf(), senderOf("a@example.com"), "01MAIL");
    await handover.rcpt(recipientOf("b@example.com"));
    await handover.data(parcelOf(contentOf(mail, 65_536), Buffer.alloc(0), []), Promise.resolve());
    expect(server.mails[0]?.body.equals(mail)).toBe(true);
  });
});
