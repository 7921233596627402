/** From a refusal on the wire to the page that explains it, through the whole service. */
import { describe, expect, it } from "vitest";
import { startService } from "../../helpers/service.ts";
import { openSmtp } from "../../helpers/smtp-dialogue.ts";

const PUBLIC = "https://mail.example.net";
const ANN = "ann@example.com";

async function withPage(explain: object = {}) {
  const service = await startService({
    listeners: [
      { door: "smtp", listen: "127.0.0.1:0", requireTls: false },
      { door: "http", listen: "127.0.0.1:0" },
    ],
    refusals: { publicUrl: `${PUBLIC}/` },
    explain,
  });
  await service.house.clients.save({
    id: "shop",
    kind: "advertiser",
    domains: ["shop.example"],
    networks: ["198.51.100.0/24"],
    disabled: false,
  });
  const open = (id: string) =>
    fetch(`http://127.0.0.1:${service.ports[1]}/explain/${id}`, { signal: AbortSignal.timeout(10_000) });
  return { service, open };
}

/** @returns what was said to RCPT, and the mail's id in it */
async function refused(port: number, recipient = ANN): Promise<{ answer: string; id: string }> {
  const smtp = await openSmtp(port);
  await smtp.say("XCLIENT ADDR=198.51.100.7");
  await smtp.say("EHLO mail.shop.example");
  await smtp.say("MAIL FROM:<news@shop.example>");
  const answer = await smtp.say(`RCPT TO:<${recipient}>`);
  await smtp.say("QUIT");
  return { answer, id: /([0-9A-Z]{23})\s*$/.exec(answer)?.[1] ?? "" };
}

describe("the page behind a refusal's id", () => {
  it("tells in three languages what was wrong, the article and what is accepted, and nobody's address", async () => {
    const { service, open } = await withPage();
    const { answer, id } = await refused(service.smtp);
    expect(answer).toMatch(/^550-5\.7\.1.* - id [0-9A-Z]{23}\s*$/s);
    const shown = await open(id);
    const page = await shown.text();
    expect(shown.status).toBe(200);
    expect(shown.headers.get("content-security-policy")).toContain("default-src 'none'");
    for (const words of ["Tiếng Việt", "中文", "English", "Order 38 (CN 2006) art. 13(2)", "has not agreed", id])
      expect(page).toContain(words);
    for (const others of [ANN, "shop.example", "198.51.100.7"]) expect(page).not.toContain(others);
  });

  it("is one look in the ledger, however often it is opened, also in small letters", async () => {
    const { service, open } = await withPage();
    const { id } = await refused(service.smtp);
    const pages = [await open(id), await open(id.toLowerCase()), await open(id)];
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200]);
    const looks = await service.entries({ event: "looked-up" });
    expect(looks.map(({ actor, evidence }) => [actor, evidence?.explain, evidence?.from])).toEqual([
      ["explain page", id, "127.0.0.1"],
    ]);
  });

  it("shows nothing of an id that was not given out here, and asks nobody about it", async () => {
    const { service, open } = await withPage();
    const { id } = await refused(service.smtp);
    const next = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const other = id.slice(0, -1) + next[(next.indexOf(id.slice(-1)) + 1) % 32];
    for (const wrong of [other, id.slice(0, 19), "x", "a".repeat(1_000), "%00", `${id}'`]) {
      expect((await open(wrong)).status, wrong).toBe(404);
    }
    expect(await service.entries({ event: "looked-up" })).toEqual([]);
  });

  it("does not tell a mail that was accepted from one that never was", async () => {
    const { service, open } = await withPage();
    const accepted = await open(service.house.ids.sealed());
    const unknown = await open("01M812GDN5YHTC30000ZE78");
    expect([accepted.status, await accepted.text()]).toEqual([404, await unknown.text()]);
  });

  it("looks so often a minute and no more, and says when to come back", async () => {
    const { service, open } = await withPage({ perMinuteMax: 2 });
    const ids = [];
    for (let n = 0; n < 6; n += 1) ids.push((await refused(service.smtp, `r${n}@example.com`)).id);
    const statuses = [];
    for (const id of ids) statuses.push((await open(id)).status);
    // The minute may turn in between.
    expect(statuses.slice(0, 2)).toEqual([200, 200]);
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThanOrEqual(2);
    expect((await service.entries({ event: "looked-up" })).length).toBe(
      statuses.filter((status) => status === 200).length,
    );
  });

  it("is not there where the operator wants none", async () => {
    const { service, open } = await withPage({ perMinuteMax: 0 });
    const { id } = await refused(service.smtp);
    expect((await open(id)).status).toBe(404);
  });

  it("is named in the refusal where the operator wants that, in as many words as the id, and so it stands in the ledger", async () => {
    const { service, open } = await withPage({ link: true });
    const { answer, id } = await refused(service.smtp);
    expect(answer.split("\r\n").at(-1)?.trim() || answer.trim()).toMatch(
      new RegExp(`550 5\\.7\\.1 Order 38 \\(CN 2006\\) art\\. 13\\(2\\) - ${PUBLIC}/explain/${id}$`),
    );
    const [entry] = await service.entries({ event: "refused" });
    expect(entry?.reply).toContain(`${PUBLIC}/explain/${id}`);
    expect((await open(id)).status).toBe(200);
  });
});
