/** The milter door inside a real Postfix, where things take an odd turn: proxied clients, mail of Postfix's own, holds, stops, slow rules. */
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { listenMilter } from "../../src/doors/milter/server.ts";
import { letter } from "../helpers/letters-now.ts";
import { demoHandler } from "../helpers/milter-demo.ts";
import { startMilterService } from "../helpers/milter-door.ts";
import { type Postfix, type PostfixOptions, postfixIsHere, startPostfix } from "../helpers/postfix.ts";
import type { Overrides } from "../helpers/service.ts";
import { smallPack } from "../helpers/small-packs.ts";
import { openTalk, type SmtpTalk } from "../helpers/smtp-talk.ts";
import { tempDir } from "../helpers/temp.ts";

const run = promisify(execFile);

/** A directory whose sockets Postfix may use, as docs/postfix.md has it. */
function socketDir(): string {
  const dir = join(tempDir(), "socket");
  mkdirSync(dir);
  chownSync(dir, 0, Number(execFileSync("id", ["-g", "postfix"])));
  chmodSync(join(dir, ".."), 0o755);
  chmodSync(dir, 0o2755);
  return dir;
}

async function postfixAsking(dir: string, more: PostfixOptions = {}): Promise<Postfix> {
  const postfix = await startPostfix({
    domain: "example.com",
    users: ["ann"],
    ...more,
    mainCf: [
      `smtpd_milters = { unix:${join(dir, "milter.sock")}, default_action=tempfail }`,
      "in_flow_delay = 0",
      "smtpd_error_sleep_time = 0",
      ...(more.mainCf ?? []),
    ],
  });
  onTestFinished(postfix.stop);
  return postfix;
}

async function both(overrides: Overrides = {}, more: PostfixOptions = {}) {
  const dir = socketDir();
  const service = await startMilterService(overrides, dir);
  return { service, postfix: await postfixAsking(dir, more) };
}

async function stranger(port: number): Promise<SmtpTalk> {
  const talk = await openTalk(port);
  await talk.sayAll("EHLO test.example", "XCLIENT NAME=[UNAVAILABLE] ADDR=203.0.113.9", "EHLO mx.sender.example");
  return talk;
}

const begin = (talk: SmtpTalk) =>
  talk.sayAll("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.com>", "DATA").then(({ code }) => code);

describe.skipIf(!postfixIsHere())("the milter door inside Postfix (skipped without postfix, or not as root)", () => {
  it.each([
    ["IPv4", "TCP4 203.0.113.9 127.0.0.1", "203.0.113.9"],
    ["IPv6", "TCP6 2001:db8::9 ::1", "2001:db8::9"],
  ])("judges the client that a load balancer names to Postfix by the PROXY header, %s", async (_, header, ip) => {
    const { service, postfix } = await both(
      { relayNetworks: ["127.0.0.1"] },
      { smtpdOptions: ["smtpd_upstream_proxy_protocol=haproxy"], mainCf: ["inet_protocols = all"] },
    );
    const talk = await openTalk(postfix.port, `PROXY ${header} 40025 25\r\n`);
    await talk.say("EHLO example.com");
    const forged = await talk.sayAll("MAIL FROM:<bob@sender.example>");
    expect(forged.text, "the balancer's own address might greet so").toMatch(
      /^550-5\.7\.1 HELO claims to be this server/,
    );
    await talk.say("EHLO mx.sender.example");
    expect(await begin(talk)).toBe(354);
    expect((await talk.data(letter())).code).toBe(250);
    const received = (await service.entries()).filter(({ event }) => event === "received");
    expect(received).toMatchObject([{ clientIp: ip, clientPort: 40_025, helo: "mx.sender.example" }]);
  });

  it("lets through what Postfix makes itself, once, as the operator's own", async () => {
    const { service, postfix } = await both(
      {},
      { mainCf: ["non_smtpd_milters = $smtpd_milters", "internal_mail_filter_classes = bounce, notify"] },
    );
    const child = run("/usr/sbin/sendmail", [
      "-C",
      postfix.configDir,
      "-i",
      "-f",
      "ann@example.com",
      "nobody@example.com",
    ]);
    child.child.stdin?.end(letter("to somebody who is not there\n").replace("bob@sender.example", "ann@example.com"));
    await child;
    const [bounce] = await postfix.delivered("ann", 1);
    expect(String(bounce)).toMatch(/^Return-Path: <>\n/);
    expect(String(bounce)).toContain("unknown user");
    const received = (await service.entriesSoon(2)).filter(({ event }) => event === "received");
    expect(received.map(({ sender, recipient, clientIp }) => [sender, recipient, clientIp])).toEqual([
      ["ann@example.com", "nobody@example.com", "127.0.0.1"],
      ["", "ann@example.com", "127.0.0.1"],
    ]);
  });

  it("keeps what a rule holds in Postfix's hold queue, and does not judge it again when it is released or requeued", async () => {
    const packs = tempDir();
    const pack = smallPack({ id: "xx-2020", label: "AD", strangers: "hold" });
    const examples = { labelled: ["AD sale"], unlabelled: ["sale"] };
    writeFileSync(join(packs, "xx-2020.yaml"), stringify({ ...pack, examples }));
    const { service, postfix } = await both(
      { packs: { directory: packs, default: ["xx-2020"], modes: { "xx-2020": "enforce" } } },
      { mainCf: ["non_smtpd_milters = $smtpd_milters"] },
    );
    const talk = await stranger(postfix.port);
    const ids: string[] = [];
    for (const _ of ["released", "requeued"]) {
      expect(await begin(talk)).toBe(354);
      ids.push(
        /^250 2\.0\.0 Ok: queued as (\w+)/.exec((await talk.data(letter("buy\n", "X-Ad: yes\n"))).text)?.[1] ?? "",
      );
    }
    const judged = () => service.entries().then((entries) => entries.filter(({ event }) => event !== "handed-over"));
    expect(await judged()).toMatchObject(ids.map((queueId) => ({ event: "held", queueId })));
    expect(await postfix.mails("ann")).toEqual([]);

    const [released = "", requeued = ""] = ids;
    await run("/usr/sbin/postsuper", ["-c", postfix.configDir, "-H", released]);
    await run("/usr/sbin/postqueue", ["-c", postfix.configDir, "-f"]);
    await run("/usr/sbin/postsuper", ["-c", postfix.configDir, "-r", requeued]);
    // Else it looks once a minute.
    await run("/usr/sbin/postkick", ["-c", postfix.configDir, "public", "pickup", "W"]);
    const mails = (await postfix.delivered("ann", 2)).map(String);
    expect(mails.map((mail) => [/^X-Ad:/m.test(mail), mail.includes("Subject: minutes")])).toEqual([
      [false, true],
      [false, true],
    ]);
    expect(await judged()).toHaveLength(2);
  });

  it("ends the mail in progress when it is told to stop, and Postfix puts off the next", async () => {
    const { service, postfix } = await both();
    const talk = await stranger(postfix.port);
    expect(await begin(talk)).toBe(354);
    const closed = service.close();
    expect((await talk.data(letter())).text).toMatch(/^250 2\.0\.0 Ok: queued/);
    expect((await talk.say("MAIL FROM:<bob@sender.example>")).text).toMatch(/^451 4\.7\.1 Service unavailable/);
    await closed;
    expect(await postfix.delivered("ann", 1)).toHaveLength(1);
  });

  it("puts a mail off whose content comes only after the stop was waited for", async () => {
    const { service, postfix } = await both({ limits: { drainMs: 50 } });
    const talk = await stranger(postfix.port);
    expect(await begin(talk)).toBe(354);
    await service.close();
    expect((await talk.data(letter())).text).toMatch(/^451 4\.7\.1 Service unavailable/);
    expect(await postfix.mails("ann")).toEqual([]);
  });

  it("keeps a mail's judgement so far over a reload in its middle, and judges the rest by the new rules", async () => {
    const { service, postfix } = await both();
    const talk = await stranger(postfix.port);
    expect(await begin(talk)).toBe(354);
    await service.reload({ rules: { "envelope/header-shape": "off" } });
    expect((await talk.data(letter("", "Subject: twice\n"))).text).toMatch(/^250 2\.0\.0 Ok: queued/);
    await service.reload({ rules: { "envelope/header-shape": "enforce" } });
    expect(await begin(talk)).toBe(354);
    expect((await talk.data(letter("", "Subject: twice\n"))).text).toMatch(/^55[04]-5\.\d\.\d /);
    expect(await postfix.delivered("ann", 1)).toHaveLength(1);
  });

  it.each([
    ["with progress, Postfix waits for a judgement longer than its timeout", 300, /^250 2\.0\.0 Ok: queued/],
    ["without, it gives up and nothing passes", 0, /^451 4\.7\.1 Service unavailable/],
  ])("%s", async (_, keepAliveMs, answer) => {
    const demo = demoHandler();
    const dir = socketDir();
    const slow = { ...demo, endOfMessage: () => delay(3_500).then(() => "continue" as const) };
    const milter = await listenMilter({
      listen: { path: join(dir, "milter.sock") },
      newHandler: () => slow,
      options: { keepAliveMs },
    });
    onTestFinished(() => milter.close(0));
    const postfix = await postfixAsking(dir, { mainCf: ["milter_content_timeout = 2s"] });
    const talk = await stranger(postfix.port);
    expect(await begin(talk)).toBe(354);
    expect((await talk.data(letter())).text).toMatch(answer);
  });
});
