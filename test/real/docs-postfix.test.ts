/** docs/postfix.md, followed line by line on a fresh Postfix each time. */
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { docBlocks, docLines } from "../helpers/doc-blocks.ts";
import { startAuthServer } from "../helpers/dovecot-auth.ts";
import { letter } from "../helpers/letters-now.ts";
import { type Postfix, type PostfixOptions, postfixIsHere, startPostfix } from "../helpers/postfix.ts";
import { freePort } from "../helpers/process.ts";
import { type Overrides, type RunningService, startService } from "../helpers/service.ts";
import { openTalk, type SmtpTalk } from "../helpers/smtp-talk.ts";
import { tempDir } from "../helpers/temp.ts";

const PAGE = "postfix.md";
const run = promisify(execFile);
const tls = await certificate();

const SHOP = {
  id: "shop",
  kind: "advertiser",
  domains: ["shop.example"],
  networks: ["198.51.100.0/24"],
  disabled: false,
} as const;

/** A configuration from the page; what it leaves out is as `consentry serve` has it, but for the store. */
const configOf = (section: string, replaced: Readonly<Record<string, string>>): Overrides => ({
  trustedProxies: [],
  ...(parse(docLines(PAGE, { section, file: "consentry.yaml" }, replaced).join("\n")) as Overrides),
});

async function postfixWith(options: PostfixOptions): Promise<Postfix> {
  const postfix = await startPostfix({
    domain: "example.com",
    users: ["ann"],
    ...options,
    mainCf: ["in_flow_delay = 0", "smtpd_error_sleep_time = 0", ...(options.mainCf ?? [])],
  });
  onTestFinished(postfix.stop);
  return postfix;
}

async function withShop(service: RunningService, more: Partial<typeof SHOP> | { networks: string[] } = {}) {
  await service.house.clients.save({ ...SHOP, ...more }, "sesame");
  const consent = { recipient: "ann@example.com", advertiser: "shop", topics: [], proof: { how: "paper" } };
  await service.house.consents.grant(consent);
}

/** A client from elsewhere, by XCLIENT, which these Postfixes believe the test. */
async function from(port: number, ip: string, helo: string): Promise<SmtpTalk> {
  const talk = await openTalk(port);
  await talk.sayAll("EHLO test.example", `XCLIENT NAME=[UNAVAILABLE] ADDR=${ip}`, `EHLO ${helo}`);
  return talk;
}

const advertisement = (subject: string): string =>
  letter("buy\n").replace("bob@sender", "a@shop").replace("minutes", subject);

async function send(talk: SmtpTalk, sender: string, text: string, to = "ann@example.com"): Promise<string> {
  for (const line of [`MAIL FROM:<${sender}>`, `RCPT TO:<${to}>`, "DATA"]) {
    const reply = await talk.say(line);
    if (reply.code >= 400) return reply.text;
  }
  return (await talk.data(text)).text;
}

/** A second mail inside the first, for a server that ends mails at a bare LF: there must be one answer, and no second mail. */
async function smuggle(talk: SmtpTalk): Promise<void> {
  await talk.sayAll("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.com>", "DATA");
  talk.send(`${letter().replaceAll("\n", "\r\n")}\n.\nMAIL FROM:<x@x.example>\r\n.\r\n`);
  await talk.hear();
  expect((await talk.say("NOOP")).text).toMatch(/^250 2\.0\.0 Ok/);
}

/** How every section ends: an unlabelled advertisement is refused, a labelled one and a stranger's mail arrive. */
async function lawIsKept(shop: SmtpTalk, stranger: SmtpTalk, postfix: Postfix): Promise<void> {
  expect(await send(shop, "a@shop.example", advertisement("sale"))).toMatch(
    /^550-5\.7\.1 an advertisement must say so/,
  );
  expect(await send(shop, "a@shop.example", advertisement("AD sale"))).toMatch(/^250/);
  expect(await send(stranger, "bob@sender.example", letter(), "x@other.example")).toMatch(
    /^55[04][ -]5\.7\.1 .*(relaying|Relay access) denied/,
  );
  await stranger.say("RSET");
  expect(await send(stranger, "bob@sender.example", letter())).toMatch(/^250/);
  const mails = (await postfix.delivered("ann", 2)).map(String);
  expect(mails.filter((mail) => mail.includes("Subject: AD sale"))).toHaveLength(1);
  expect(mails.filter((mail) => mail.includes("Subject: minutes"))).toHaveLength(1);
  expect(mails).toHaveLength(2);
}

describe.skipIf(!postfixIsHere())("docs/postfix.md (skipped without postfix, or not as root)", () => {
  it("has no block of settings that is not followed here", () => {
    const followed = ["As a milter", "In front of Postfix", "Before the queue", "Outbound"];
    expect([...new Set(docBlocks(PAGE).map(({ section }) => section))]).toEqual(followed);
  });

  it("as a milter", async () => {
    const submission = await freePort();
    const section = "As a milter";
    const dir = tempDir();
    let service: RunningService | undefined;
    const auth = await startAuthServer(
      join(dir, "auth"),
      async (login, password) => (await service?.house.clients.authenticate(login, password)) !== undefined,
    );
    chmodSync(dir, 0o755);
    const postfix = await postfixWith({
      mainCf: [
        `smtpd_sasl_type = dovecot`,
        `smtpd_sasl_path = ${auth.path}`,
        ...docLines(PAGE, { section, file: "main.cf" }),
        // Else the test's own address would be let off, being one of mynetworks.
        "smtpd_forbid_bare_newline_exclusions =",
      ],
      masterCf: docLines(PAGE, { section, file: "master.cf" }, { "submission inet": `127.0.0.1:${submission} inet` }),
    });
    const queue = join(postfix.directory, "queue");
    installDirectory(join(queue, "consentry"));
    service = await startService(configOf(section, { "/var/spool/postfix": queue }));
    await withShop(service);
    const shop = await from(postfix.port, "198.51.100.7", "pc.shop.example");
    const stranger = await from(postfix.port, "203.0.113.9", "mx.sender.example");
    await lawIsKept(shop, stranger, postfix);

    const unknown = await from(submission, "203.0.113.9", "laptop.example");
    expect((await unknown.say("MAIL FROM:<bob@sender.example>")).text).toMatch(/^530-5\.7\.0 this port is for clients/);
    const client = await from(submission, "198.51.100.7", "laptop.example");
    await client.sayAll(`AUTH PLAIN ${Buffer.from("\0shop\0sesame").toString("base64")}`);
    expect(await send(client, "a@shop.example", advertisement("AD two"))).toMatch(/^250/);
    const entries = await service.entries({ event: "received" } as never);
    expect(entries.find(({ login }) => login === "shop")?.queueId).toMatch(/^[0-9A-F]{8,}$/);

    const exempt = await from(postfix.port, "192.0.2.99", "mail.example.com");
    expect(await send(exempt, "bob@sender.example", letter())).toMatch(/^250/);

    expect(await send(stranger, "bob@sender.example", letter("", "X-Nul: a\0b\n"))).toMatch(/^550 5\.7\.1 /);
    await smuggle(await from(postfix.port, "203.0.113.9", "mx.sender.example"));

    await commandLine(postfix, letter("from this machine\n"), "ann@example.com");
    await postfix.delivered("ann", 6);
    const local = (await service.entriesSoon(1, { ip: "127.0.0.1" }))[0];
    expect(local).toMatchObject({ event: "received", recipient: "ann@example.com", clientPort: 0 });

    await service.close();
    const late = await from(postfix.port, "203.0.113.9", "mx.sender.example");
    expect((await late.say("MAIL FROM:<bob@sender.example>")).text).toMatch(/^451 4\.7\.1 Service unavailable/);
  });

  it("in front of Postfix", async () => {
    const section = "In front of Postfix";
    const behind = await freePort();
    const [smtp, submission] = [await freePort(), await freePort()];
    const postfix = await postfixWith({
      masterCf: docLines(PAGE, { section, file: "master.cf" }, { "127.0.0.1:10025": `127.0.0.1:${behind}` }),
    });
    const service = await startService({
      ...configOf(section, {
        "0.0.0.0:25": `127.0.0.1:${smtp}`,
        "0.0.0.0:587": `127.0.0.1:${submission}`,
        "127.0.0.1:10025": `127.0.0.1:${behind}`,
      }),
      trustedProxies: ["127.0.0.1"],
    });
    await withShop(service);
    const shop = await from(smtp, "198.51.100.7", "pc.shop.example");
    const stranger = await from(smtp, "203.0.113.9", "mx.sender.example");
    await lawIsKept(shop, stranger, postfix);
    expect(await send(stranger, "bob@sender.example", letter(), "nobody@example.com")).toMatch(/^550 5\.1\.1 /);
    expect(await postfix.log(), "the log names the client").toMatch(/client=unknown\[203\.0\.113\.9\]/);
    const direct = await openTalk(behind);
    expect((await direct.say("EHLO x.example")).text).not.toMatch(/XCLIENT/);
    await smuggle(direct);
  });

  it("before the queue", async () => {
    const section = "Before the queue";
    const [outer, filter, inner] = [await freePort(), await freePort(), await freePort()];
    const postfix = await postfixWith({
      masterCf: docLines(
        PAGE,
        { section, file: "master.cf" },
        {
          "smtp inet": `127.0.0.1:${outer} inet`,
          "127.0.0.1:10024": `127.0.0.1:${filter}`,
          "127.0.0.1:10026": `127.0.0.1:${inner}`,
        },
      ),
      // The test's strangers would else be refused by Postfix before consentry hears of them.
      mainCf: [
        "mynetworks = 0.0.0.0/0",
        "smtpd_relay_restrictions = permit_mynetworks, reject",
        "smtpd_recipient_restrictions =",
      ],
    });
    const service = await startService(
      configOf(section, { "127.0.0.1:10024": `127.0.0.1:${filter}`, "127.0.0.1:10026": `127.0.0.1:${inner}` }),
    );
    await withShop(service);
    const shop = await from(outer, "198.51.100.7", "pc.shop.example");
    const stranger = await from(outer, "203.0.113.9", "mx.sender.example");
    await lawIsKept(shop, stranger, postfix);
    expect((await service.entries({ ip: "203.0.113.9" }))[0]).toMatchObject({ helo: "mx.sender.example" });
    await service.close();
    expect(await send(stranger, "bob@sender.example", letter())).toMatch(/^4/);
  });

  it.each([
    ["by its address", 0],
    ["by its login", 1],
  ])("outbound, the customer known %s", async (_, block) => {
    const login = block === 1;
    if (login && !existsSync(`/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/sasl2/libplain.so`))
      return;
    const [smtp, submission] = [await freePort(), await freePort()];
    const world = await postfixWith({});
    const service = await startService({
      listeners: [
        { door: "smtp", listen: `127.0.0.1:${smtp}` },
        { door: "submission", listen: `127.0.0.1:${submission}` },
      ],
      tls,
      nextHop: { to: `smtp://127.0.0.1:${world.port}` },
    });
    await withShop(service, { networks: login ? [] : ["127.0.0.1"] });
    const blocks = docBlocks(PAGE).filter(({ section, file }) => section === "Outbound" && file === "main.cf");
    const lines = (blocks[block]?.text ?? "")
      .replaceAll("[relay.example.net]:25", `[127.0.0.1]:${smtp}`)
      .replaceAll("[relay.example.net]:587", `[127.0.0.1]:${submission}`);
    const customer = await postfixWith({
      domain: "shop.example",
      users: ["a"],
      mainCf: [
        ...lines.split("\n"),
        "smtpd_relay_restrictions = permit_mynetworks, reject",
        "smtpd_recipient_restrictions =",
      ],
    });
    const talk = await openTalk(customer.port);
    await talk.say("EHLO pc.shop.example");
    expect(await send(talk, "a@shop.example", advertisement("sale"))).toMatch(/^250/);
    const [bounce] = await customer.delivered("a", 1);
    expect(String(bounce)).toMatch(/550-5\.7\.1 an advertisement must say so/);
    expect(await send(talk, "a@shop.example", advertisement("AD sale"))).toMatch(/^250/);
    expect(String((await world.delivered("ann", 1))[0])).toContain("Subject: AD sale");
    const [entry] = await service.entries();
    expect(entry).toMatchObject({ client: "shop", ...(login && { login: "shop" }) });
  });
});

/** install -d -o consentry -g postfix -m 2750: here the owner is who runs the test. */
function installDirectory(path: string): void {
  mkdirSync(path);
  chownSync(path, 0, Number(execFileSync("id", ["-g", "postfix"])));
  chmodSync(path, 0o2750);
}

/** Postfix's own sendmail command. */
async function commandLine(postfix: Postfix, text: string, to: string): Promise<void> {
  const child = run("/usr/sbin/sendmail", ["-C", postfix.configDir, "-i", "-f", "root@mail.example.com", to]);
  child.child.stdin?.end(text);
  await child;
}

/** A self-signed certificate, as tls.certFile and tls.keyFile want it; undefined where there is no openssl. */
async function certificate(): Promise<Overrides | undefined> {
  const dir = tempDir();
  const [certFile, keyFile] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const made = await run("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=relay.example.net".split(" "),
    "-keyout",
    keyFile,
    "-out",
    certFile,
  ]).catch(() => undefined);
  return made && { certFile, keyFile };
}
