/** Advertising in the queue of the real service, with the clock turned by hand. */
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeDkimKey } from "../../src/config/dkim-keys.ts";
import type { Client } from "../../src/mail/client.ts";
import { mailDate } from "../../src/mail/received.ts";
import { clientOf } from "../helpers/described.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { type ScriptOptions, startScripted } from "../helpers/scripted-server.ts";
import { type Overrides, startService } from "../helpers/service.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { tempDir } from "../helpers/temp.ts";
import { until } from "../helpers/wait.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 10, 22, 10);
const QUEUE = { processes: 0, retrySeconds: [600], destinationRetrySeconds: [60], jitter: 0, reserveMb: 1 };
const ANN = "ann@mail.example";

interface More {
  readonly rules?: Overrides;
  readonly config?: Overrides;
  readonly client?: Partial<Client>;
}

async function relay(answers: ScriptOptions["answers"], { rules = {}, config = {}, client = {} }: More = {}) {
  const hop = await startScripted({ ...(answers && { answers }) });
  onTestFinished(() => hop.stop());
  const clock = handClock(START_MS);
  const service = await startService(
    {
      nextHop: { mode: "queue", to: `smtp://127.0.0.1:${hop.port}` },
      queue: QUEUE,
      packs: { default: ["vn-2020"], modes: { "vn-2020": "enforce" } },
      rules: { "advertising/contents": "off", ...rules },
      ...config,
    },
    clock,
  );
  const { consents, clients } = service.house;
  await clients.save(clientOf({ kind: "advertiser", networks: ["127.0.0.1"], ...client }));
  await consents.grant({ advertiser: "shop", recipient: ANN, topics: [], proof: { how: "test" } });
  return {
    hop,
    clock,
    service,
    async send(): Promise<string> {
      const talk = await openSmtp(service.smtp);
      await talk.say("EHLO pc.shop.example");
      const content = `From: a@shop.example\r\nTo: ${ANN}\r\nDate: ${mailDate(clock.now())}\r\nSubject: [QC] sale\r\n\r\nbody`;
      const heard = await talk.mail({ from: "a@shop.example", to: [ANN], content });
      talk.end();
      return heard.findLast((reply) => !reply.startsWith("503")) ?? "";
    },
  };
}

describe("an advertisement in the queue", () => {
  it("is not sent any more when the recipient refuses while it waits", async () => {
    const { hop, clock, service, send } = await relay({ RCPT: ["450 4.2.0 busy"] });
    expect(await send()).toMatch(/^250 2\.0\.0 queued/);
    await service.entriesSoon(1, { event: "delayed" });
    await service.house.consents.withdraw("shop", ANN);
    await clock.pass(601_000);
    const [bounced] = await service.entriesSoon(1, { event: "bounced" });
    expect(bounced).toMatchObject({
      rules: ["consent/recorded-consent"],
      reply: expect.stringContaining("this recipient has refused advertising from you"),
    });
    // What may come is our report of it.
    expect(hop.mails.filter(({ from }) => from.includes("a@shop"))).toHaveLength(0);
  });

  it("beyond the law's number waits until one is free, where the operator lets it", async () => {
    const { hop, clock, service, send } = await relay(undefined, { rules: { "consent/scope": { wait: true } } });
    for (let i = 1; i <= 3; i += 1) {
      expect(await send()).toMatch(/^250/);
      await until(`${i} are delivered`, () => hop.mails.length === i);
      await service.entriesSoon(i, { event: "handed-over" });
    }
    expect(await send()).toMatch(/^250/);
    const [delayed] = await service.entriesSoon(1, { event: "delayed" });
    expect(delayed?.reply).toMatch(
      /^450 4\.7\.1 .*as many advertisements from you as the law allows .*: 3 in 24 hours/,
    );
    await clock.pass(25 * HOUR_MS);
    // Its sender is told of the delay, by a mail of ours.
    await until("the fourth is delivered", () => hop.mails.filter(({ from }) => from.includes("a@shop")).length === 4);
  });

  it("is refused at the door beyond that number, where he does not", async () => {
    const { send } = await relay(undefined);
    for (let i = 0; i < 3; i += 1) expect(await send()).toMatch(/^250/);
    expect(await send()).toMatch(/^550/);
  });

  it("that comes back for good is counted, and from three on the address is refused", async () => {
    const { clock, service, send } = await relay({ RCPT: "550 5.1.1 nobody" });
    for (let i = 1; i <= 3; i += 1) {
      expect(await send()).toMatch(/^250/);
      await service.entriesSoon(i, { event: "bounced" });
      await clock.pass(25 * HOUR_MS);
    }
    await until("three are counted", async () => {
      const [standing] = await service.house.consents.standing("shop", [ANN]);
      return standing?.bounces?.count === 3;
    });
    expect(await send()).toMatch(/^550.*came back again and again/s);
  });

  it("waits while its client is suspended, and leaves signed", async () => {
    const directory = join(tempDir(), "keys");
    makeDkimKey(
      { dkim: { directory, keys: [] }, dataDir: "" },
      { domain: "shop.example", selector: "s", type: "ed25519" },
    );
    const { hop, clock, service, send } = await relay(
      { RCPT: ["450 4.2.0 busy"] },
      { config: { dkim: { directory } } },
    );
    await send();
    await service.entriesSoon(1, { event: "delayed" });
    const suspended = { reason: "complaints", fromMs: clock.now(), untilMs: clock.now() + 2 * HOUR_MS, by: "ann" };
    await service.house.clients.suspend("shop", suspended);
    await clock.pass(601_000);
    const [, delayed] = await service.entriesSoon(2, { event: "delayed" });
    expect(delayed?.reply).toMatch(/you are suspended/);
    await clock.pass(2 * HOUR_MS);
    await until("it is delivered", () => hop.mails.length === 1);
    expect(hop.mails[0]?.body.toString("latin1")).toMatch(/^DKIM-Signature: v=1; a=ed25519-sha256/m);
  });
});
