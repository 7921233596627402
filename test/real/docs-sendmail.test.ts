/** docs/sendmail.md, followed line by line on a fresh Sendmail, and the mail of its own command line. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { docLines } from "../helpers/doc-blocks.ts";
import { letter } from "../helpers/letters-now.ts";
import { freePort } from "../helpers/process.ts";
import { startSaslauthd } from "../helpers/saslauthd.ts";
import { startScripted } from "../helpers/scripted-server.ts";
import { type Sendmail, sendmailIsHere, startSendmail, trustedDirectory } from "../helpers/sendmail.ts";
import { type Overrides, type RunningService, startService } from "../helpers/service.ts";
import { openTalk, type SmtpTalk } from "../helpers/smtp-talk.ts";
import { until } from "../helpers/wait.ts";

const SECTION = { section: "", file: "sendmail.mc" };
const SHOP = {
  id: "shop",
  kind: "advertiser",
  domains: ["shop.example"],
  networks: [],
  disabled: false,
} as const;

async function send(talk: SmtpTalk, sender: string, text: string, to = "ann@example.com"): Promise<string> {
  for (const line of [`MAIL FROM:<${sender}>`, `RCPT TO:<${to}>`, "DATA"]) {
    const reply = await talk.say(line);
    if (reply.code >= 400) return reply.text;
  }
  return (await talk.data(text)).text;
}

const advertisement = (subject: string): string =>
  letter("buy\n").replace("bob@sender", "a@shop").replace("minutes", subject);

describe.skipIf(!(await sendmailIsHere()))("docs/sendmail.md (skipped without apt, or not as root)", () => {
  it("ends with a refused unlabelled advertisement and delivered mails", async () => {
    const dir = await trustedDirectory();
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const submission = await freePort();
    let service: RunningService | undefined;
    const auth = await startSaslauthd(
      join(dir, "mux"),
      async (login, password) => (await service?.house.clients.authenticate(login, password)) !== undefined,
    );
    const sink = await startScripted();
    const sendmail = await startSendmail({
      nextPort: sink.port,
      sasl: ["pwcheck_method: saslauthd", `saslauthd_path: ${auth.path}`, "mech_list: PLAIN"],
      mc: [
        "define(`confAUTH_MECHANISMS', `PLAIN')",
        "TRUST_AUTH_MECH(`PLAIN')",
        ...docLines("sendmail.md", SECTION, {
          "/run/consentry": dir,
          "Port=submission": `Port=${submission}, Addr=127.0.0.1`,
        }),
      ],
    });
    onTestFinished(async () => {
      await sendmail.stop();
      await auth.stop();
      await sink.stop();
    });
    const yaml = docLines("sendmail.md", { section: "", file: "consentry.yaml" }, { "/run/consentry": dir });
    // Without relayNetworks, so that the mail of the command line has to be recognised as the operator's own.
    service = await startService({
      trustedProxies: [],
      ...(parse(yaml.join("\n")) as Overrides),
      relayNetworks: [],
    });
    await service.house.clients.save(SHOP, "sesame");
    const consent = { recipient: "ann@example.com", advertiser: "shop", topics: [], proof: { how: "paper" } };
    await service.house.consents.grant(consent);

    const shop = await openTalk(submission);
    await shop.say("EHLO pc.shop.example");
    expect((await shop.say("MAIL FROM:<a@shop.example>")).code, "no login, no mail").toBe(530);
    await shop.sayAll(`AUTH PLAIN ${Buffer.from("\0shop\0sesame").toString("base64")}`);
    expect(await send(shop, "a@shop.example", advertisement("sale"))).toMatch(/^550-5\.7\.1 an advertisement must/);
    expect(await send(shop, "a@shop.example", advertisement("AD sale"))).toMatch(/^250/);
    await until("it is delivered", () => sink.mails.some(({ body }) => body.includes("Subject: AD sale")));
    const entry = (await service.entries()).find(({ event }) => event === "received");
    expect(entry).toMatchObject({ login: "shop", client: "shop", recipient: "ann@example.com" });
    expect(entry?.queueId).toMatch(/^6A\w{12}$/);

    await commandLine(sendmail);
    const own = await until("the command line's mail", () => sink.mails.find(({ body }) => body.includes("minutes")));
    expect(own.recipients[0]).toMatch(/<x@other\.example>/);
    const local = (await service.entries()).find(({ recipient }) => recipient === "x@other.example");
    expect(local).toMatchObject({ event: "received", clientIp: "127.0.0.1", clientPort: 0 });

    await service.close();
    const late = await openTalk(sendmail.port);
    await late.say("EHLO mx.sender.example");
    expect((await late.say("MAIL FROM:<bob@sender.example>")).code).toBe(451);
  });
});

/** SMTP on standard input: nobody's address, the operator's own mail. */
async function commandLine(sendmail: Sendmail): Promise<void> {
  const child = sendmail.command("-bs");
  let said = "";
  child.stdout.on("data", (piece: Buffer) => {
    said += piece.toString();
  });
  const heard = (code: string): Promise<unknown> =>
    until(`${code} after: ${said}`, () => new RegExp(`^${code} `, "m").test(said));
  await heard("220");
  const text = letter().trimEnd().replaceAll("\n", "\r\n");
  const dialogue = [
    "EHLO localhost",
    "MAIL FROM:<root@sender.example>",
    "RCPT TO:<x@other.example>",
    "DATA",
    `${text}\r\n.`,
  ];
  for (const line of dialogue) {
    said = "";
    child.stdin.write(`${line}\r\n`);
    await heard(line === "DATA" ? "354" : "250");
  }
  child.stdin.end("QUIT\r\n");
}
