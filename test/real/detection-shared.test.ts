/** Two nodes on one Redis: copies are counted together, and what one is taught the other knows. */
import { describe, expect, it } from "vitest";
import { Headers } from "../../src/mail/headers.ts";
import { featuresOf, wordsOf } from "../../src/signals/features.ts";
import { fingerprintOf } from "../../src/signals/fingerprint.ts";
import { lessonOf } from "../../src/signals/learned.ts";
import { readMail } from "../../src/signals/read.ts";
import { sale } from "../helpers/detections.ts";
import { EHLO, letter, MAIL } from "../helpers/letters-now.ts";
import { hasRedis, startRedis } from "../helpers/redis.ts";
import { type RunningService, startService } from "../helpers/service.ts";
import { openTalk, type SmtpTalk } from "../helpers/smtp-talk.ts";
import { until } from "../helpers/wait.ts";

/** Neither quite an advertisement nor quite none. */
const DOUBTFUL =
  "Dear all, the canteen offers a new lunch menu from Monday: soup, salad and a main course for 9 euro. Tables can be booked with Ann at the front desk.\n";
const UTF8 = "Content-Type: text/plain; charset=utf-8\n";
const NOTE = { "advertising/detect": { fromStrangers: { "cn-2006": "note" }, copiesMin: 60 } };

async function send(talk: SmtpTalk, to: string, body: string): Promise<void> {
  await talk.sayAll(MAIL, `RCPT TO:<${to}>`, "DATA");
  expect((await talk.data(letter(body, UTF8))).code).toBe(250);
}

const evidenceFor = async (service: RunningService, to: string): Promise<string> => {
  const [entry] = await service.entriesSoon(1, { recipient: to });
  return String(entry?.evidence?.detected ?? "");
};

describe.skipIf(!hasRedis)("two nodes on one Redis (needs redis-server)", () => {
  it("count copies of one text together, each copy with another name, number and link", async () => {
    const { url } = await startRedis();
    const nodes = [
      await startService({ store: { url }, rules: NOTE }),
      await startService({ store: { url }, rules: NOTE }),
    ];
    const talks = await Promise.all(nodes.map(({ smtp }) => openTalk(smtp)));
    for (const talk of talks) await talk.say(EHLO);
    for (let n = 0; n < 100; n += 1) await send(talks[n % 2] as SmtpTalk, `r${n}@example.com`, sale(`顾客${n}`, n));
    const [one, other] = await Promise.all(nodes.map((node, at) => evidenceFor(node, `r${98 + at}@example.com`)));
    for (const words of [one, other]) {
      const copies = Number(/same text to (\d+) recipients/.exec(words ?? "")?.[1]);
      expect(copies, "more than one node alone has seen").toBeGreaterThan(50);
      expect(copies).toBeLessThanOrEqual(100);
    }
  });

  it("know within seconds what one of them is taught, and that it is forgotten", async () => {
    const { url } = await startRedis();
    const rules = { "advertising/detect": { fromStrangers: { "cn-2006": "note" }, copiesMin: 100_000 } };
    const [one, other] = [await startService({ store: { url }, rules }), await startService({ store: { url }, rules })];
    const talk = await openTalk(other.smtp);
    await talk.say(EHLO);
    let sent = 0;
    const taught = async (): Promise<boolean> => {
      sent += 1;
      const to = `r${sent}@example.com`;
      await send(talk, to, DOUBTFUL);
      const entry = (await other.entriesSoon(1, { recipient: to }))[0];
      return (entry?.rules ?? []).includes("advertising/detect");
    };
    expect(await taught()).toBe(false);
    const bytes = Buffer.from(letter(DOUBTFUL, UTF8).replaceAll("\n", "\r\n"));
    const mail = readMail(Headers.parse(bytes), bytes);
    const lesson = {
      ...lessonOf(featuresOf(mail), "ad", 1),
      print: fingerprintOf(wordsOf(mail)),
      batch: "b",
      by: "test",
    };
    await one.house.lessons.teach([lesson]);
    await until("the other node has learned it", taught, 20_000);
    await one.house.lessons.forget(() => true);
    await until("the other node has forgotten it", async () => !(await taught()), 20_000);
  });
});
