/** A person's way out, through the whole service: from the advertisement's header to the refused RCPT, by click, by mail and by API. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type RunningService, startService } from "../../helpers/service.ts";
import { openSmtp } from "../../helpers/smtp-dialogue.ts";
import { tempDir } from "../../helpers/temp.ts";
import { until } from "../../helpers/wait.ts";

const SHOP = {
  id: "shop",
  kind: "advertiser",
  domains: ["shop.example"],
  networks: ["198.51.100.0/24"],
  disabled: false,
} as const;
const ANN = "ann@example.com";
const API_TOKEN = "a token of at least sixteen";

async function withShop() {
  const apiTokenFile = join(tempDir(), "token");
  writeFileSync(apiTokenFile, `${API_TOKEN.replaceAll(" ", "-")}\n`);
  const service = await startService({
    listeners: [
      { door: "smtp", listen: "127.0.0.1:0", requireTls: false },
      { door: "http", listen: "127.0.0.1:0" },
    ],
    refusals: { address: "Refuse@example.com", publicUrl: "https://relay.example.net/", apiTokenFile },
  });
  await service.house.clients.save(SHOP);
  await service.house.consents.grant({ recipient: ANN, advertiser: "shop", topics: [], proof: { how: "paper" } });
  const http = (path: string, options: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${service.ports[1]}${path}`, { signal: AbortSignal.timeout(5_000), ...options });
  return { service, http };
}

const post = (body: string, type = "application/x-www-form-urlencoded"): RequestInit => ({
  method: "POST",
  body,
  headers: { "content-type": type },
});
const ONE_CLICK = post("List-Unsubscribe=One-Click");

/** An advertisement of the shop. @returns the answers to RCPT and, when there was one, to the mail */
async function advertise(service: RunningService, ...recipients: string[]): Promise<string[]> {
  const smtp = await openSmtp(service.smtp);
  await smtp.say("XCLIENT ADDR=198.51.100.7");
  await smtp.say("EHLO mail.shop.example");
  await smtp.say("MAIL FROM:<news@shop.example>");
  const answers: string[] = [];
  for (const recipient of recipients) answers.push(await smtp.say(`RCPT TO:<${recipient}>`));
  if (answers.some((answer) => answer.startsWith("250"))) {
    await smtp.say("DATA");
    const date = new Date().toUTCString().replace("GMT", "+0000");
    answers.push(await smtp.say(`From: news@shop.example\r\nDate: ${date}\r\nSubject: AD [QC] sale\r\n\r\nbuy\r\n.`));
  }
  await smtp.say("QUIT");
  return answers;
}

async function write(service: RunningService, subject: string, more = ""): Promise<string> {
  const smtp = await openSmtp(service.smtp);
  await smtp.say("EHLO mx.sender.example");
  await smtp.say("MAIL FROM:<bob@sender.example>");
  await smtp.say("RCPT TO:<refuse@example.com>");
  await smtp.say("DATA");
  const date = new Date().toUTCString().replace("GMT", "+0000");
  const answer = await smtp.say(
    `From: bob@sender.example\r\nDate: ${date}\r\nSubject: ${subject}\r\n${more}\r\nplease\r\n.`,
  );
  await smtp.say("QUIT");
  return answer;
}

const headerOf = (mail: string, name: string): string =>
  new RegExp(`^${name}: ((?:.|\\r\\n[ \\t])*)`, "im").exec(mail)?.[1]?.replace(/\r\n/g, "") ?? "";
const linkIn = (mail: string): string => /<https:\/\/relay\.example\.net(\/refuse\/[\w-]+)>/.exec(mail)?.[1] ?? "";
const confirmations = (service: RunningService, who = ANN): string[] =>
  service.mailsTo(who).filter((mail) => headerOf(mail, "Auto-Submitted") === "auto-generated");

describe("a recipient of advertising", () => {
  it("finds in it where to refuse, refuses with one click, and hears so once; the next one is refused at RCPT", async () => {
    const { service, http } = await withShop();
    expect(await advertise(service, ANN)).toEqual([expect.stringMatching(/^250/), expect.stringMatching(/^250/)]);
    const [mail = ""] = service.mailsTo(ANN);
    expect(headerOf(mail, "List-Unsubscribe-Post")).toBe("List-Unsubscribe=One-Click");
    expect(headerOf(mail, "List-Unsubscribe")).toMatch(/^<https:[^>]+>, <mailto:refuse@example\.com\?subject=[\w-]+>$/);

    const shown = await http(linkIn(mail));
    expect([shown.status, await shown.text()]).toEqual([200, expect.stringContaining("我拒收")]);
    expect(await advertise(service, ANN), "a GET does not act").toHaveLength(2);

    expect((await http(linkIn(mail), ONE_CLICK)).status).toBe(200);
    const [refused] = await advertise(service, ANN);
    expect(refused).toMatch(/^550-5\.7\.1 this recipient has refused advertising from you/);

    await http(linkIn(mail), ONE_CLICK);
    const [confirmation = ""] = await until("the confirmation", () => {
      const found = confirmations(service);
      return found.length > 0 ? found : undefined;
    });
    await service.entriesSoon(1, { event: "notice-sent" } as never);
    expect(confirmations(service), "once").toHaveLength(1);
    expect(headerOf(confirmation, "From")).toBe("<refuse@example.com>");
    expect(Buffer.from(confirmation.split("\r\n\r\n")[1] ?? "", "base64").toString()).toMatch(/shop.*shop/s);
    const withdrawn = (await service.entries()).filter(({ event }) => event === "consent-withdrawn");
    expect(withdrawn.map(({ recipient, evidence }) => [recipient, evidence?.how, evidence?.again])).toEqual([
      [ANN, "one-click", undefined],
      [ANN, "one-click", true],
    ]);
  });

  it.each([
    [
      "multipart",
      'x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x',
      "multipart/form-data; boundary=x",
      200,
    ],
    ["a POST that does not say so", "nothing", "application/x-www-form-urlencoded", 400],
    ["JSON", "{}", "application/json", 400],
  ])("is believed by the body of RFC 8058 only: %s", async (_, body, type, status) => {
    const { service, http } = await withShop();
    await advertise(service, ANN);
    const link = linkIn(service.mailsTo(ANN)[0] ?? "");
    expect((await http(link, post(body, type))).status).toBe(status);
    const [consent] = await service.house.consents.find("shop", [ANN]);
    expect(consent?.withdrawnAtMs !== undefined).toBe(status === 200);
  });

  it("gets no link of his own in a mail to several, and refuses by a mail that keeps its Subject", async () => {
    const { service } = await withShop();
    const ben = "ben@example.com";
    const bob = "bob@sender.example";
    await service.house.consents.grant({ recipient: ben, advertiser: "shop", topics: [], proof: { how: "paper" } });
    expect(await advertise(service, ANN, ben)).toHaveLength(3);
    const [mail = ""] = service.mailsTo(ANN);
    const ways = headerOf(mail, "List-Unsubscribe");
    expect(ways).toMatch(/^<mailto:refuse@example\.com\?subject=[\w-]+>$/);
    const token = /subject=([\w-]+)/.exec(ways)?.[1] ?? "";
    expect(await write(service, `Re: ${token}`)).toMatch(/^250 2\.0\.0 recorded/);
    const [refused] = await service.house.consents.find("shop", [bob]);
    expect(refused?.withdrawnAtMs, "of him who wrote").toBeDefined();
    expect(service.mailsTo("refuse@example.com"), "and the mail ends here").toEqual([]);
  });

  it("is told when a mail to the refusal address means nobody; an absence notice says neither yes nor no", async () => {
    const { service } = await withShop();
    expect(await write(service, "stop it")).toMatch(/^550-5\.6\.0 nothing in the mail tells whose advertising/);
    const token = service.house.tokens.make({ kind: "refuse", advertiser: "shop" });
    expect(await write(service, token, "Auto-Submitted: auto-replied\r\n")).toMatch(/^250/);
    expect(await service.house.consents.find("shop", ["bob@sender.example"])).toEqual([undefined]);
  });

  it("keeps the links that the advertiser wrote himself", async () => {
    const { service } = await withShop();
    const smtp = await openSmtp(service.smtp);
    for (const line of [
      "XCLIENT ADDR=198.51.100.7",
      "EHLO mail.shop.example",
      "MAIL FROM:<news@shop.example>",
      `RCPT TO:<${ANN}>`,
      "DATA",
    ]) {
      await smtp.say(line);
    }
    const date = new Date().toUTCString().replace("GMT", "+0000");
    const own = "List-Unsubscribe: <mailto:no@shop.example>";
    await smtp.say(`From: news@shop.example\r\nDate: ${date}\r\n${own}\r\nSubject: AD [QC] sale\r\n\r\nbuy\r\n.`);
    await smtp.say("QUIT");
    expect(service.mailsTo(ANN)[0]).toContain(`\r\n${own}\r\n`);
    expect(service.mailsTo(ANN)[0]?.match(/list-unsubscribe/gi)).toHaveLength(1);
  });
});

describe("a request for consent", () => {
  const bea = "bea@example.com";
  const api = (path: string, body?: object) =>
    [
      path,
      {
        headers: {
          authorization: `Bearer ${API_TOKEN.replaceAll(" ", "-")}`,
          ...(body && { "content-type": "application/json" }),
        },
        ...(body && { method: "POST", body: JSON.stringify(body) }),
      },
    ] as const;

  it("is sent once, grants by a click, and silence is a no", async () => {
    const { service, http } = await withShop();
    const ask = () => http(...api("/v1/consent-requests", { advertiser: "shop", recipient: bea, topics: ["shoes"] }));
    expect((await ask()).status).toBe(202);
    expect((await ask()).status, "nobody is asked twice").toBe(409);
    const [request = ""] = await until("the request", () => {
      const found = confirmations(service, bea);
      return found.length > 0 ? found : undefined;
    });
    const text = Buffer.from(request.split("\r\n\r\n")[1] ?? "", "base64").toString();
    expect(text).toMatch(/shoes/);
    expect((await advertise(service, bea))[0], "silence").toMatch(/^550/);
    const link = /https:\/\/relay\.example\.net(\/agree\/[\w-]+)/.exec(text)?.[1] ?? "";
    expect((await http(link)).status).toBe(200);
    expect((await advertise(service, bea))[0], "a GET does not act").toMatch(/^550/);
    expect((await http(link, ONE_CLICK)).status).toBe(200);
    expect((await advertise(service, bea))[0]).toMatch(/^250/);
    const [consent] = await service.house.consents.find("shop", [bea]);
    expect(consent).toMatchObject({ topics: ["shoes"], proof: { how: "double-opt-in", ip: "127.0.0.1" } });
  });

  it("does not undo a refusal that came after it", async () => {
    const { service, http } = await withShop();
    const token = service.house.tokens.make({ kind: "agree", advertiser: "shop", recipient: bea });
    expect((await http(...api("/v1/refusals", { advertiser: "shop", recipient: bea, actor: "hotline" }))).status).toBe(
      200,
    );
    expect((await http(`/agree/${token}`, ONE_CLICK)).status).toBe(409);
    const entry = (await service.entries()).find(({ event }) => event === "consent-withdrawn");
    expect(entry).toMatchObject({ actor: "hotline", evidence: { how: "api" } });
  });

  it.each<[string, string, object | undefined, number]>([
    ["no such advertiser", "/v1/refusals", { advertiser: "nobody", recipient: bea }, 404],
    ["no address", "/v1/refusals", { advertiser: "shop", recipient: "bea" }, 400],
    ["a word it does not know", "/v1/refusals", { advertiser: "shop", recipient: bea, x: 1 }, 400],
    ["nothing recorded", `/v1/consents?advertiser=shop&recipient=${bea}`, undefined, 404],
    ["what is recorded", `/v1/consents?advertiser=shop&recipient=${ANN}`, undefined, 200],
  ])("API: %s", async (_, path, body, status) => {
    const { http } = await withShop();
    expect((await http(...api(path, body))).status).toBe(status);
  });

  it("is nobody's without the token", async () => {
    const { http } = await withShop();
    const body = JSON.stringify({ advertiser: "shop", recipient: bea });
    expect((await http("/v1/refusals", post(body, "application/json"))).status).toBe(401);
  });
});

describe("the HTTP door", () => {
  it("says whether it is well, and nothing of links that are not ours", async () => {
    const { http } = await withShop();
    expect(await (await http("/healthz")).json()).toEqual({ ok: true });
    expect((await http("/readyz")).status).toBe(200);
    for (const path of [`/refuse/${"x".repeat(60)}`, "/refuse/", "/", `/refuse/${"x".repeat(5_000)}`]) {
      expect((await http(path, ONE_CLICK)).status, path.slice(0, 20)).toBeGreaterThanOrEqual(404);
    }
    expect((await http(`/refuse/${"x".repeat(60)}`, post("x".repeat(20_000)))).status).toBe(413);
  });

  it("promises nothing while the store is away", async () => {
    const { service, http } = await withShop();
    const token = service.house.tokens.make({ kind: "refuse", advertiser: "shop", recipient: ANN });
    await service.house.journal.close();
    const answer = await http(`/refuse/${token}`, ONE_CLICK);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "120"]);
    expect(await answer.text()).toContain("请几分钟后重试");
  });
});
